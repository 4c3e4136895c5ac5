package io.github.distlock.simulator;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The monitors of objects, in place of those of the JVM, which wakes a thread that waits for one on a thread of its
 * own. A monitor is here while a thread is in it or waits for it.
 */
final class Monitors {
    private final List<Monitor> used = new ArrayList<>();

    private static final class Monitor {
        private final Object object;
        private final ReentrantLock lock = new ReentrantLock();
        private final Condition condition = lock.newCondition();
        private int uses;

        Monitor(Object object) {
            this.object = object;
        }
    }

    private Monitor monitor(Object object) {
        for (int i = used.size() - 1; i >= 0; i--) {
            if (used.get(i).object == object) {
                return used.get(i);
            }
        }
        Monitor made = new Monitor(object);
        used.add(made);
        return made;
    }

    void enter(Object object) {
        Monitor monitor = monitor(object);
        monitor.uses++;
        monitor.lock.lock();
    }

    void exit(Object object) {
        Monitor monitor = monitor(object);
        monitor.lock.unlock();
        monitor.uses--;
        if (monitor.uses == 0) {
            used.remove(monitor);
        }
    }

    @SuppressWarnings("WaitNotInLoop") // The caller loops.
    void await(Object object, long millis) throws InterruptedException {
        Condition condition = monitor(object).condition;
        if (millis == 0) {
            condition.await();
        } else {
            var unused = condition.await(millis, TimeUnit.MILLISECONDS);
        }
    }

    void signalAll(Object object) {
        monitor(object).condition.signalAll();
    }
}
