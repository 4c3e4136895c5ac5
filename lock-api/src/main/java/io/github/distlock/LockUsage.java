package io.github.distlock;

/**
 * How much a client uses one lock at present. Counts all modes and options of the name.
 *
 * @param lockName the lock's name
 * @param holds how many holds the client has
 * @param waiters how many acquires of the client wait for the lock
 */
public record LockUsage(String lockName, int holds, int waiters) {}
