package io.github.distlock.zookeeper;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The directories in which one session has last seen nodes of other contenders, and how many nodes they had. It keeps
 * the {@value #MOST} directories that were used last. What it says may be out of date, and nothing but the choice of
 * requests depends on it.
 *
 * <p>Thread-safe.
 */
final class SeenQueues {
    private static final int MOST = 1_000;

    private final ReentrantLock mutex = new ReentrantLock();
    private final Map<String, Integer> children = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Integer> eldest) {
            return size() > MOST;
        }
    };

    /** Notes how many nodes a directory has, among them those of other contenders. */
    void note(String directory, int count) {
        mutex.lock();
        try {
            children.put(directory, count);
        } finally {
            mutex.unlock();
        }
    }

    /** Notes that nothing is known of a directory, or that no other contender has a node in it. */
    void forget(String directory) {
        mutex.lock();
        try {
            children.remove(directory);
        } finally {
            mutex.unlock();
        }
    }

    /** Returns how many nodes a directory had, or empty if nothing is known of other contenders. */
    OptionalInt count(String directory) {
        mutex.lock();
        try {
            Integer count = children.get(directory);
            return count == null ? OptionalInt.empty() : OptionalInt.of(count);
        } finally {
            mutex.unlock();
        }
    }
}
