package io.github.distlock.spring;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The holds of each thread. A hold is here while a call runs on the thread, as a {@linkplain #call call}, and until
 * the completion of a transaction of the thread that it waits for. The lists are immutable, and the map replaces them
 * atomically, because a transaction may complete on another thread, and an asynchronous call may begin its hold there.
 * A thread without holds has no entry. There is no {@code ThreadLocal}, which would cost each virtual thread a map.
 */
final class ThreadHolds {
    private static final Map<Thread, List<Use>> USES = new ConcurrentHashMap<>();

    private ThreadHolds() {}

    /** Why a hold is here. Two uses are never equal. */
    static final class Use implements AutoCloseable {
        private final Thread thread;
        private final Hold hold;
        private final boolean isCall;

        private Use(Thread thread, Hold hold, boolean isCall) {
            this.thread = thread;
            this.hold = hold;
            this.isCall = isCall;
        }

        private void begin() {
            USES.compute(thread, (owner, uses) -> {
                List<Use> more = new ArrayList<>();
                more.add(this);
                if (uses != null) {
                    more.addAll(uses);
                }
                return List.copyOf(more);
            });
        }

        /** Ends the use. */
        @Override
        public void close() {
            USES.computeIfPresent(thread, (owner, uses) -> {
                List<Use> left = uses.stream().filter(use -> use != this).toList();
                return left.isEmpty() ? null : left;
            });
        }
    }

    /** Begins a call on this thread under a hold. */
    static Use call(Hold hold) {
        return begin(new Use(Thread.currentThread(), hold, true));
    }

    /** Keeps a hold for later calls of a thread. */
    static Use keep(Hold hold, Thread thread) {
        return begin(new Use(thread, hold, false));
    }

    private static Use begin(Use use) {
        use.begin();
        return use;
    }

    private static List<Use> uses() {
        return USES.getOrDefault(Thread.currentThread(), List.of());
    }

    /** Returns the holds of this thread, the innermost first. */
    static List<Hold> all() {
        return uses().stream().map(use -> use.hold).toList();
    }

    /** Returns the hold of the innermost call on this thread, or null. */
    static @Nullable Hold current() {
        return uses().stream()
                .filter(use -> use.isCall)
                .findFirst()
                .map(use -> use.hold)
                .orElse(null);
    }

    /** Returns whether a call on a thread runs under the hold, or a transaction of the thread keeps it. */
    static boolean isUsed(Hold hold, Thread thread) {
        return USES.getOrDefault(thread, List.of()).stream().anyMatch(use -> use.hold == hold);
    }

    /** Returns how many threads have holds, for tests. */
    static int size() {
        return USES.size();
    }
}
