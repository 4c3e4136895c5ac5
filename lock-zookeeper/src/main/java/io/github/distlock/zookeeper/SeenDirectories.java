package io.github.distlock.zookeeper;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * The directories to which something has happened in a session. It holds at most {@link #MOST} of them, so that many
 * names cost no memory. After that, it takes every other directory for one of them.
 *
 * <p>Thread-safe.
 */
final class SeenDirectories {
    private static final int MOST = 1_000;

    private final Set<Integer> hashes = ConcurrentHashMap.newKeySet();

    boolean contains(String directory) {
        return hashes.contains(directory.hashCode()) || hashes.size() >= MOST;
    }

    /** Returns whether the directory was not among them. */
    boolean add(String directory) {
        return hashes.size() < MOST && hashes.add(directory.hashCode());
    }
}
