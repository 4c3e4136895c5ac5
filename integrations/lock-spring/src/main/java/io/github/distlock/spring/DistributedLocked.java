package io.github.distlock.spring;

import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Runs a method of a Spring bean under a distributed lock. {@link EnableDistributedLocks} switches it on.
 *
 * <pre>{@code
 * @DistributedLocked(key = "orders/#{#order.id}", maxWait = "5s")
 * @Transactional
 * public void ship(Order order) { … }
 * }</pre>
 *
 * <p><b>Calls within the bean take no lock.</b> A proxy around the bean takes it. A call of a method of the same object
 * does not go through the proxy, and cannot be detected.
 *
 * <p><b>On a class</b> it applies to every public method that the class itself declares. It may be a meta-annotation. A
 * method has one: for several locks, give several keys.
 *
 * <p><b>Texts.</b> Each text may contain <code>${…}</code>. Durations are texts such as {@code 5s}, {@code 500ms} or
 * {@code PT5S}; a number without a unit counts milliseconds. If a text is empty, the property
 * {@code distlock.annotation.…} of the same name applies, for example {@code distlock.annotation.max-wait}. If there is
 * none either, the default of the client applies.
 *
 * <p><b>Errors.</b> A call throws {@link LockBusyException} if the lock stays busy, {@link LockException} if the store
 * does not answer or the thread is interrupted while it waits (its flag stays set), and {@link LockLostException} if
 * the lock was lost before the method returned. Mistakes in the annotation fail at start-up.
 *
 * <p><b>Reentrant.</b> A call joins the hold of a call around it on the same thread, or in the same reactive chain, if
 * that has all its keys. If the calls around it have only some of them, it joins these and acquires the others. A
 * reader joins a writer. A writer inside a reader throws {@link IllegalStateException}.
 *
 * <p><b>Asynchronous methods</b> return {@link java.util.concurrent.CompletionStage},
 * {@link java.util.concurrent.CompletableFuture}, a type of Reactor or another reactive library that Spring knows, or
 * are {@code suspend} functions of Kotlin. They wait without a thread, and hold the lock until the work completes,
 * fails or is canceled. A publisher acquires the lock at each subscription.
 *
 * <p>{@link LockedMethod#currentHandle()} returns the hold. A parameter of the type {@link LockHandle} gets it, too,
 * whatever the caller passes.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.METHOD, ElementType.TYPE})
public @interface DistributedLocked {

    /** How a lock is shared. */
    enum Mode {
        /** A plain lock with one holder. */
        EXCLUSIVE,
        /** The read lock of a {@link DistributedReadWriteLock}, which is another kind of name than a plain lock. */
        READ,
        /** The write lock of a {@link DistributedReadWriteLock}. */
        WRITE
    }

    /**
     * The lock's name. SpEL is written inside <code>#{…}</code>, with the parameters as <code>#name</code>, the bean as
     * root object, and other beans as <code>@name</code>. An expression that results in null or blank text throws.
     * Several names are held together, like {@link LockClient#allOf}.
     *
     * @return at least one text
     */
    String[] key();

    /**
     * How the lock is shared.
     *
     * @return a plain lock unless set
     */
    Mode mode() default Mode.EXCLUSIVE;

    /**
     * How long a call waits for the lock. Zero asks once.
     *
     * @return a duration; if empty, {@code distlock.annotation.max-wait}, and 10 s without it. With {@link OnBusy#SKIP}
     *     a call does not wait unless this is set
     */
    String maxWait() default "";

    /**
     * The renewed lease: see {@link LockOptions#renewedLease}.
     *
     * @return a duration, or empty
     */
    String lease() default "";

    /**
     * The fixed lease, instead of a renewed one: see {@link LockOptions#fixedLease}.
     *
     * @return a duration, or empty
     */
    String fixedLease() default "";

    /**
     * How long the lock stays busy at least: see {@link LockOptions#minimumHold}.
     *
     * @return a duration, or empty
     */
    String minimumHold() default "";

    /**
     * How long the lock is held at most: see {@link LockOptions#maximumHold}.
     *
     * @return a duration, or empty
     */
    String maximumHold() default "";

    /**
     * Whether the lock is granted first come, first served over all clients: see {@link LockOptions#fair}.
     *
     * @return {@code true}, {@code false}, or empty
     */
    String fair() default "";

    /**
     * What a call does if the lock stays busy.
     *
     * @return it throws unless set
     */
    OnBusy onBusy() default OnBusy.THROW;

    /**
     * The method to call with {@link OnBusy#FALLBACK}. It may be private.
     *
     * @return the name of a method of the same class with the same parameters
     */
    String fallback() default "";

    /**
     * The client that takes the lock.
     *
     * @return the name of a bean; if empty, {@code distlock.annotation.client}, and the only or primary
     *     {@link LockClient} without it
     */
    String client() default "";
}
