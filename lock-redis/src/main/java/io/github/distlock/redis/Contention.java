package io.github.distlock.redis;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Guesses whether a lock has a queue. The short scripts serve locks without one; for other locks they would cost one
 * more request. A wrong guess costs one request and nothing else. So names may share an entry, and a thread may read an
 * old value.
 */
final class Contention {
    private static final int ENTRIES = 1 << 12;

    private final AtomicIntegerArray queues = new AtomicIntegerArray(ENTRIES);

    boolean isLikely(String name) {
        return queues.getPlain(index(name)) != 0;
    }

    /** Notes what the server has replied. */
    void note(String name, boolean hasQueue) {
        int index = index(name);
        int now = hasQueue ? 1 : 0;
        if (queues.getPlain(index) != now) {
            queues.setOpaque(index, now);
        }
    }

    private static int index(String name) {
        return name.hashCode() & (ENTRIES - 1);
    }
}
