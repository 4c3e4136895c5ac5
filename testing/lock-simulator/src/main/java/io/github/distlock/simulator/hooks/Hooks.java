package io.github.distlock.simulator.hooks;

import java.lang.ref.Reference;
import java.lang.ref.ReferenceQueue;
import java.security.SecureRandom;
import java.util.UUID;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/**
 * What rewritten classes call in place of the JDK's methods. On a thread that is not simulated, each method does what
 * the original does.
 *
 * <p><b>Threads.</b> The fields belong to the one platform thread that runs the simulation. Another thread may read an
 * old value of {@code current}, but never itself, which is all that it looks for.
 */
public final class Hooks {
    private static @Nullable Thread current;
    private static @Nullable Machine machine;
    private static int atomicSections;
    private static int untilPreemption;

    private Hooks() {}

    /**
     * Says which thread the simulation runs now.
     *
     * @param thread the thread
     * @param its what it sees
     * @param sections how many atomic sections it is in
     */
    public static void enter(Thread thread, Machine its, int sections) {
        machine = its;
        current = thread;
        atomicSections = sections;
    }

    /**
     * Says that no simulated thread runs now.
     *
     * @return how many atomic sections the thread is in
     */
    public static int leave() {
        current = null;
        return atomicSections;
    }

    /**
     * Sets after how many points the thread that runs is preempted.
     *
     * @param points how many
     */
    public static void preemptAfter(int points) {
        untilPreemption = points;
    }

    private static @Nullable Machine machine() {
        return Thread.currentThread() == current ? machine : null;
    }

    /** A point at which another thread may run first, outside of atomic sections. */
    public static void point() {
        Machine simulated = machine();
        if (simulated != null && atomicSections == 0 && --untilPreemption < 0) {
            simulated.preempt();
        }
    }

    /**
     * Begins an atomic section. The initialization of a class is one, because a later run does not repeat it. Code that
     * has a monitor is one, because the JVM itself would wake a thread that waits for the monitor.
     */
    public static void beginAtomic() {
        if (machine() != null) {
            atomicSections++;
        }
    }

    /** Ends an atomic section. */
    public static void endAtomic() {
        if (machine() != null) {
            atomicSections--;
        }
    }

    /**
     * In place of {@link System#nanoTime()}.
     *
     * @return nanoseconds
     */
    public static long nanoTime() {
        Machine simulated = machine();
        return simulated == null ? System.nanoTime() : simulated.nanoTime();
    }

    /**
     * In place of {@link System#currentTimeMillis()}.
     *
     * @return milliseconds since 1970-01-01T00:00Z
     */
    public static long currentTimeMillis() {
        Machine simulated = machine();
        return simulated == null ? System.currentTimeMillis() : simulated.wallMillis();
    }

    /**
     * Before a park with a limit.
     *
     * @param nanos the limit
     * @return whether the simulation has parked the thread
     */
    public static boolean parkNanos(long nanos) {
        Machine simulated = machine();
        if (simulated == null) {
            return false;
        }
        simulated.parkNanos(nanos);
        return true;
    }

    /**
     * Before a park with a deadline.
     *
     * @param millis the deadline by the wall clock
     * @return whether the simulation has parked the thread
     */
    public static boolean parkUntil(long millis) {
        Machine simulated = machine();
        return simulated != null && parkNanos((millis - simulated.wallMillis()) * 1_000_000);
    }

    /**
     * Before a sleep.
     *
     * @param nanos how long
     * @return whether the simulation has let the thread sleep
     * @throws InterruptedException if the thread is interrupted
     */
    public static boolean sleep(long nanos) throws InterruptedException {
        Machine simulated = machine();
        if (simulated == null) {
            return false;
        }
        simulated.sleep(nanos);
        return true;
    }

    /**
     * In place of {@link Thread#Thread(Runnable)}.
     *
     * @param task what the thread runs
     * @return a new thread
     */
    public static Thread newThread(Runnable task) {
        Machine simulated = machine();
        return simulated == null ? new Thread(task) : simulated.newThread("thread", task);
    }

    /**
     * In place of {@link Thread#Thread(Runnable, String)}.
     *
     * @param task what the thread runs
     * @param name its name
     * @return a new thread
     */
    public static Thread newThread(Runnable task, String name) {
        Machine simulated = machine();
        return simulated == null ? new Thread(task, name) : simulated.newThread(name, task);
    }

    /**
     * In place of {@link Thread#Thread(ThreadGroup, Runnable, String, long, boolean)}.
     *
     * @param group its group
     * @param task what the thread runs
     * @param name its name
     * @param stackSize the size of its stack
     * @param inherits whether it inherits thread-locals
     * @return a new thread
     */
    public static Thread newThread(
            @Nullable ThreadGroup group, Runnable task, String name, long stackSize, boolean inherits) {
        Machine simulated = machine();
        return simulated == null ? new Thread(group, task, name, stackSize, inherits) : simulated.newThread(name, task);
    }

    /**
     * In place of {@link Executors#defaultThreadFactory()}, whose threads must not be daemons.
     *
     * @return makes threads
     */
    public static ThreadFactory defaultThreadFactory() {
        return machine() == null ? Executors.defaultThreadFactory() : Hooks::newThread;
    }

    /**
     * In place of {@link Thread#currentThread()}.
     *
     * @return the thread for which the present one was started, or the present one
     */
    public static Thread currentThread() {
        Machine simulated = machine();
        return simulated == null ? Thread.currentThread() : simulated.original();
    }

    /**
     * In place of {@link Thread#start()} of a subclass: a simulated thread runs it.
     *
     * @param original the thread
     */
    public static void start(Thread original) {
        Machine simulated = machine();
        if (simulated == null) {
            original.start();
        } else {
            simulated.start(original);
        }
    }

    /**
     * In place of {@link Thread#join()} of a subclass.
     *
     * @param original the thread
     * @throws InterruptedException if the caller is interrupted
     */
    public static void join(Thread original) throws InterruptedException {
        join(original, 0);
    }

    /**
     * In place of {@link Thread#join(long)} of a subclass.
     *
     * @param original the thread
     * @param millis how long at most, or 0
     * @throws InterruptedException if the caller is interrupted
     */
    public static void join(Thread original, long millis) throws InterruptedException {
        Machine simulated = machine();
        (simulated == null ? original : simulated.startedFor(original)).join(millis);
    }

    /**
     * In place of {@link Thread#isAlive()} of a subclass.
     *
     * @param original the thread
     * @return whether it was started and has not ended
     */
    public static boolean isAlive(Thread original) {
        Machine simulated = machine();
        return (simulated == null ? original : simulated.startedFor(original)).isAlive();
    }

    /**
     * In place of the entry of a monitor. Only simulated threads share objects with such monitors.
     *
     * @param object whose monitor it is
     */
    public static void enterMonitor(Object object) {
        Machine simulated = machine();
        if (simulated != null) {
            simulated.enterMonitor(object);
        }
    }

    /**
     * In place of the exit of a monitor.
     *
     * @param object whose monitor it is
     */
    public static void exitMonitor(Object object) {
        Machine simulated = machine();
        if (simulated != null) {
            simulated.exitMonitor(object);
        }
    }

    /**
     * In place of {@link Object#wait()}.
     *
     * @param object whose monitor it is
     * @throws InterruptedException if the thread is interrupted
     */
    public static void waitMonitor(Object object) throws InterruptedException {
        waitMonitor(object, 0);
    }

    /**
     * In place of {@link Object#wait(long)}.
     *
     * @param object whose monitor it is
     * @param millis how long at most, or 0
     * @throws InterruptedException if the thread is interrupted
     */
    public static void waitMonitor(Object object, long millis) throws InterruptedException {
        Machine simulated = machine();
        if (simulated != null) {
            simulated.waitMonitor(object, millis);
        }
    }

    /**
     * In place of {@link Object#notify()}: wakes all, as the JVM may.
     *
     * @param object whose monitor it is
     */
    public static void notifyMonitor(Object object) {
        notifyAllMonitor(object);
    }

    /**
     * In place of {@link Object#notifyAll()}.
     *
     * @param object whose monitor it is
     */
    public static void notifyAllMonitor(Object object) {
        Machine simulated = machine();
        if (simulated != null) {
            simulated.notifyMonitor(object);
        }
    }

    /**
     * In place of {@link SecureRandom#nextBytes}.
     *
     * @param original the generator
     * @param bytes what to fill
     */
    public static void nextBytes(SecureRandom original, byte[] bytes) {
        Machine simulated = machine();
        if (simulated == null) {
            original.nextBytes(bytes);
            return;
        }
        long word = 0;
        for (int i = 0; i < bytes.length; i++) {
            word = i % Long.BYTES == 0 ? simulated.random() : word >>> Byte.SIZE;
            bytes[i] = (byte) word;
        }
    }

    /**
     * In place of {@link UUID#randomUUID()}.
     *
     * @return an identifier
     */
    public static UUID randomUUID() {
        Machine simulated = machine();
        return simulated == null ? UUID.randomUUID() : new UUID(simulated.random(), simulated.random());
    }

    /**
     * In place of {@link ReferenceQueue#poll()}: the simulation decides what is collected, and when.
     *
     * @param <T> what is referred to
     * @param queue the queue
     * @return a reference or null
     */
    public static <T> @Nullable Reference<? extends T> poll(ReferenceQueue<T> queue) {
        Machine simulated = machine();
        Reference<? extends T> found = queue.poll();
        while (simulated != null && found != null && !simulated.hasCollected(found)) {
            found = queue.poll();
        }
        return found;
    }

    /**
     * Before a weak reference is made.
     *
     * @param object what it refers to
     */
    public static void keep(@Nullable Object object) {
        Machine simulated = machine();
        if (simulated != null && object != null) {
            simulated.keep(object);
        }
    }

    /**
     * After a weak reference with a queue was made.
     *
     * @param reference the reference
     */
    public static void made(Reference<?> reference) {
        Machine simulated = machine();
        if (simulated != null) {
            simulated.made(reference);
        }
    }
}
