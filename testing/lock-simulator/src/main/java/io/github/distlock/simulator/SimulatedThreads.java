package io.github.distlock.simulator;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Constructor;
import java.lang.reflect.Field;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/**
 * Creates virtual threads whose continuations a given executor runs. The JDK has no public way to do that, so this
 * needs {@code --add-opens java.base/java.lang=ALL-UNNAMED} on a JDK whose constructor is known here.
 */
final class SimulatedThreads {
    private static final AtomicReference<@Nullable SimulatedThreads> INSTANCE = new AtomicReference<>();

    private final Constructor<?> constructor;
    private final VarHandle seed;
    private final VarHandle probe;
    private final VarHandle secondarySeed;
    private final Field id;
    private final VarHandle state;
    private final int blocked;
    private final int unblocked;

    private SimulatedThreads() throws ReflectiveOperationException {
        Class<?> type = Class.forName("java.lang.VirtualThread");
        constructor = type.getDeclaredConstructor(Executor.class, String.class, int.class, Runnable.class);
        constructor.setAccessible(true);
        MethodHandles.Lookup lookup = MethodHandles.privateLookupIn(Thread.class, MethodHandles.lookup());
        seed = lookup.findVarHandle(Thread.class, "threadLocalRandomSeed", long.class);
        probe = lookup.findVarHandle(Thread.class, "threadLocalRandomProbe", int.class);
        secondarySeed = lookup.findVarHandle(Thread.class, "threadLocalRandomSecondarySeed", int.class);
        id = Thread.class.getDeclaredField("tid");
        id.setAccessible(true);
        MethodHandles.Lookup virtual = MethodHandles.privateLookupIn(type, MethodHandles.lookup());
        state = virtual.findVarHandle(type, "state", int.class);
        blocked = (int) virtual.findStaticVarHandle(type, "BLOCKED", int.class).get();
        unblocked =
                (int) virtual.findStaticVarHandle(type, "UNBLOCKED", int.class).get();
    }

    /**
     * Creates a thread.
     *
     * @param scheduler runs it, step by step
     * @param number its identifier; that of the JDK would depend on earlier runs
     * @param random the source of the thread's {@code ThreadLocalRandom}
     */
    static Thread create(Executor scheduler, String name, long number, RandomGenerator random, Runnable task) {
        try {
            SimulatedThreads threads = instance();
            Thread thread = (Thread) threads.constructor.newInstance(scheduler, name, 0, task);
            threads.seed.set(thread, random.nextLong());
            threads.probe.set(thread, 1);
            threads.secondarySeed.set(thread, 1);
            threads.id.set(thread, number);
            return thread;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JDK cannot run simulations", e);
        }
    }

    /** Returns whether a thread that is not running waits for a monitor of the JVM, or could have it now. */
    static boolean isAtMonitor(Thread thread) {
        try {
            SimulatedThreads threads = instance();
            int now = (int) threads.state.getVolatile(thread);
            return now == threads.blocked || now == threads.unblocked;
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JDK cannot run simulations", e);
        }
    }

    private static SimulatedThreads instance() throws ReflectiveOperationException {
        SimulatedThreads known = INSTANCE.get();
        if (known == null) {
            known = new SimulatedThreads();
            INSTANCE.set(known);
        }
        return known;
    }
}
