package io.github.distlock.micrometer;

import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The values of the tag {@code lock}. The number of lock names has no bound, and each value has its own meters. So this
 * class bounds the number of values.
 */
final class LockTags {
    private static final Logger LOG = LoggerFactory.getLogger(LockMetrics.class);
    private static final int MOST = 100;
    private static final String OTHER = "other";

    private final Function<String, Optional<String>> chosen;
    private final Set<String> known = ConcurrentHashMap.newKeySet();
    private final ReentrantLock mutex = new ReentrantLock();
    private final AtomicBoolean warned = new AtomicBoolean();

    LockTags(Function<String, Optional<String>> chosen) {
        this.chosen = chosen;
    }

    String of(String lockName) {
        String tag = chosen.apply(lockName).orElseGet(() -> beginning(lockName));
        return known.contains(tag) || learn(tag) ? tag : OTHER;
    }

    private boolean learn(String tag) {
        mutex.lock();
        try {
            if (known.size() < MOST) {
                known.add(tag);
            }
        } finally {
            mutex.unlock();
        }
        boolean learned = known.contains(tag);
        if (!learned && warned.compareAndSet(false, true)) {
            LOG.warn(
                    "more than {} values of the tag \"lock\": \"{}\" and all further ones count as \"{}\"; give locks"
                            + " of one kind a common beginning before the first \"/\" or \":\"",
                    MOST,
                    tag,
                    OTHER);
        }
        return learned;
    }

    /** Returns the text before the first separator. A name that begins with separators has none before them. */
    private static String beginning(String lockName) {
        int from = 0;
        while (from < lockName.length() && isSeparator(lockName.charAt(from))) {
            from++;
        }
        int to = from;
        while (to < lockName.length() && !isSeparator(lockName.charAt(to))) {
            to++;
        }
        return from == to ? OTHER : lockName.substring(from, to);
    }

    private static boolean isSeparator(char c) {
        return c == '/' || c == ':';
    }
}
