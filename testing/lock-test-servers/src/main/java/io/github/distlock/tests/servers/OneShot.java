package io.github.distlock.tests.servers;

import java.time.Duration;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Predicate;

/** A fault that strikes one chunk of data. */
final class OneShot implements Fault {
    enum Effect {
        DROP_REQUEST,
        DROP_REPLY,
        DROP_PUSH,
        DELAY_REQUEST,
        DELAY_REPLY
    }

    /** The effects that a request can claim. */
    static final Set<Effect> ON_REQUEST = Collections.unmodifiableSet(
            EnumSet.of(Effect.DROP_REQUEST, Effect.DROP_REPLY, Effect.DELAY_REQUEST, Effect.DELAY_REPLY));
    /** The effects that data from the server can claim. */
    static final Set<Effect> ON_PUSH = Collections.unmodifiableSet(EnumSet.of(Effect.DROP_PUSH));

    final Effect effect;
    final Duration delay;
    final FaultProxy.Then then;
    private final Predicate<byte[]> aim;
    private final AtomicBoolean claimed = new AtomicBoolean();
    private final CountDownLatch struck = new CountDownLatch(1);

    OneShot(Effect effect, Predicate<byte[]> aim, FaultProxy.Then then, Duration delay) {
        this.effect = effect;
        this.aim = aim;
        this.then = then;
        this.delay = delay;
    }

    /** Returns whether the fault strikes this chunk; after true, it strikes no other chunk. */
    boolean claims(byte[] chunk) {
        return !claimed.get() && aim.test(chunk) && claimed.compareAndSet(false, true);
    }

    /** Cancels the fault unless a chunk has claimed it. */
    void disarm() {
        claimed.set(true);
    }

    void strike() {
        struck.countDown();
    }

    @Override
    public boolean hasStruck() {
        return struck.getCount() == 0;
    }

    @Override
    public void awaitStrike(Duration limit) {
        try {
            if (!struck.await(limit.toNanos(), TimeUnit.NANOSECONDS)) {
                throw new IllegalStateException(effect + " did not strike within " + limit.toMillis() + " ms");
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted before " + effect + " struck", e);
        }
    }

    @Override
    public String toString() {
        return effect + (hasStruck() ? " (has struck)" : "");
    }
}
