package io.github.distlock.zookeeper;

import java.util.LinkedHashSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The nodes with which a session has held locks. It keeps those of the last {@value #MOST} grants, because the answer
 * to a release may overtake the event of its deletion. If it does not have a node, that costs a waiter another look.
 *
 * <p>Thread-safe.
 */
final class HeldNodes {
    private static final int MOST = 1_000;

    private final ReentrantLock mutex = new ReentrantLock();
    private final Set<String> paths = new LinkedHashSet<>();

    void add(String path) {
        mutex.lock();
        try {
            if (paths.size() == MOST) {
                paths.remove(paths.iterator().next());
            }
            paths.add(path);
        } finally {
            mutex.unlock();
        }
    }

    boolean contains(String path) {
        mutex.lock();
        try {
            return paths.contains(path);
        } finally {
            mutex.unlock();
        }
    }
}
