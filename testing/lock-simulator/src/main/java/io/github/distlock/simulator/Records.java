package io.github.distlock.simulator;

import io.github.distlock.LockLoss;
import io.github.distlock.LockOptions;
import io.github.distlock.simulator.hooks.Hooks;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.history.AcquireKind;
import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.RecordedHistory;
import io.github.distlock.tests.history.Violation;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a run has seen, in true time: its history, its figures and its trace. */
final class Records {
    private static final int FRAMES = 8;
    private static final String PRODUCT = "io.github.distlock.";
    private static final String SIMULATOR = PRODUCT + "simulator.";

    final RecordedHistory history = new RecordedHistory();
    private final List<Violation> violations = new ArrayList<>();
    private final KeptLocks kept = new KeptLocks();
    final HeardRequests requests;
    final ClientTokens tokens = new ClientTokens();
    private final Simulation world;
    private @Nullable FreeLocks freeLocks;
    private long disturbance;
    private long operations;
    private long grants;
    private long losses;
    private long heldNanos;

    Records(Simulation world) {
        this.world = world;
        requests = new HeardRequests(world);
    }

    /** One acquire of a process, and the hold that it won. */
    final class Acquire {
        final long process;
        final long number = ++operations;
        final String lock;
        private final String actor;
        private final AcquireKind kind;
        private final LockMode mode;
        private final @Nullable Acquire writing;
        private final long begunAt = world.nanoTime();
        private boolean copied;
        /** Another process has the same acquire or hold, so the history leaves out what follows. */
        private boolean shared;

        private boolean returned;
        private long token;
        private long minimumNanos;
        private long delayNanos;
        private long heldAt;
        private long grantedAt;
        private long releasedAt;
        private long claimedUntil;

        Acquire(long process, String actor, String lock, AcquireKind kind, LockMode mode, long limit) {
            this.process = process;
            this.actor = actor;
            this.lock = lock;
            this.kind = kind;
            this.mode = mode;
            this.writing = null;
            trace(() -> "acquires " + lock + " (" + kind.word() + ", " + mode + ")");
            history.acquire(process, world.tick(), number, lock, kind.word(), mode, limit);
            if (kind != AcquireKind.TRY) {
                look(free -> free.waits(actor, process, number, lock, mode, world.nanoTime()));
            }
        }

        /** The read hold that a downgrade makes of a write hold. */
        Acquire(Acquire writing, long token, long limit) {
            process = writing.process;
            actor = writing.actor;
            lock = writing.lock;
            kind = AcquireKind.DOWNGRADE;
            mode = LockMode.READ;
            this.writing = writing;
            copied = writing.copied;
            shared = copied;
            trace(() -> "downgrades " + lock);
            record(() -> history.downgrade(process, world.tick(), number, lock, token, limit));
        }

        private void trace(Supplier<String> what) {
            world.trace(actor, () -> what.get() + " #" + number);
        }

        private void record(Runnable event) {
            if (!shared) {
                event.run();
            }
        }

        /** A copy of the process has this acquire, too. If it or its hold is open, it ends for the history. */
        void share() {
            copied = true;
            if (!returned) {
                refused("shared with a copy");
                shared = true;
            } else if (grantedAt > 0 && releasedAt == 0) {
                release();
                released("SHARED");
                shared = true;
            }
        }

        void queued() {
            record(() -> history.queued(process, world.tick(), number));
            trace(() -> "is in the queue of " + lock);
        }

        /** The lock may have a minimum hold, or a lock delay. */
        void options(LockOptions options) {
            minimumNanos = options.minimumHold().map(Duration::toNanos).orElse(0L);
            delayNanos = options.lockDelay().map(Duration::toNanos).orElse(0L);
            if (minimumNanos + delayNanos > 0) {
                look(free -> free.exempt(lock));
            }
        }

        void granted(long newToken) {
            token = newToken;
            grants++;
            returned = true;
            grantedAt = world.tick();
            record(() -> {
                notTooEarly(HistoryRule.MINIMUM_HOLDS_LAST, kept.missing(lock, grantedAt));
                notTooEarly(HistoryRule.LOCK_DELAYS_LAST, kept.missingDelay(lock, grantedAt));
                history.granted(process, grantedAt, number, token);
                if (isExclusive() && tokens.granted(process, lock, token, grantedAt)) {
                    violation(
                            HistoryRule.TOKENS_RISE,
                            actor + ": acquire " + number + " of " + lock
                                    + " has a smaller token than one that its client has given to a user before");
                }
            });
            look(free -> free.granted(actor, process, number, lock, mode, grantedAt));
            trace(() -> "has " + lock + " with token " + ClientTokens.base(token) + "/" + ClientTokens.handoffs(token));
        }

        private boolean isExclusive() {
            return mode.equals(LockMode.EXCLUSIVE) && !copied;
        }

        private void notTooEarly(HistoryRule rule, long missing) {
            if (missing > 0) {
                violation(
                        rule,
                        actor + ": acquire " + number + " of " + lock + " is granted " + missing + " ns too early");
            }
        }

        void refused(String reason) {
            returned = true;
            look(free -> free.returned(number, lock, world.nanoTime()));
            if (writing != null) {
                writing.leave(false);
            }
            record(() -> history.refused(process, world.tick(), number, reason));
            trace(() -> "has not got " + lock + ": " + reason);
        }

        /** The acquire has failed, or it was interrupted or canceled, or its client was closed. */
        void failed(Throwable failure, boolean isClosed) {
            refused(failure.toString());
            if (!isClosed && !kind.mayFailWith(failure)) {
                violation(
                        HistoryRule.FAILURES_ARE_DOCUMENTED,
                        actor + ": acquire " + number + " of " + lock + ", " + kind.word() + ", failed with "
                                + describe(failure));
            }
        }

        void held(long at, long until) {
            claimedUntil = until;
            record(() -> {
                heldAt = at;
                kept.held(lock, number, at, delayNanos);
                history.held(process, at, number, until);
            });
            trace(() -> String.format("holds %s until %.6f", lock, until / 1e9));
        }

        /** Returns what listens for requests to release the hold with a token. */
        HeardRequests.Listener listener(long token, HeardRequests.Exchanges exchanges) {
            boolean beginsGrant = kind != AcquireKind.DOWNGRADE && ClientTokens.handoffs(token) == 0;
            return requests.new Listener(lock, token, begunAt, beginsGrant, exchanges);
        }

        void heard() {
            trace(() -> "hears of a request to release " + lock);
        }

        void warned() {
            trace(() -> "is warned of the end of " + lock);
        }

        long begunAt() {
            return begunAt;
        }

        /** Returns the end of the claim that was seen last. */
        long claimedUntil() {
            return claimedUntil;
        }

        void notHeld() {
            trace(() -> "no longer holds " + lock);
        }

        void release() {
            end();
            kept.release(lock, number);
            requests.release(lock, token);
            trace(() -> "releases " + lock);
        }

        private void end() {
            releasedAt = world.tick();
            heldNanos += releasedAt - grantedAt;
            if (isExclusive()) {
                tokens.release(process, lock, token, releasedAt);
            }
            record(() -> history.release(process, releasedAt, number));
        }

        void released(String outcome) {
            leave(outcome.equals("RELEASED"));
            record(() -> {
                history.released(process, world.tick(), number, outcome);
                if (outcome.equals("RELEASED")) {
                    kept.released(lock, begunAt, minimumNanos);
                } else if (outcome.equals("LOST") && heldAt > 0 && !copied) { // The copy may have released it.
                    kept.held(lock, number, heldAt, delayNanos);
                }
            });
            trace(() -> "has released " + lock + ": " + outcome);
        }

        /** The hold has ended, in order or in a way after which the store may keep it for a time. */
        private void leave(boolean inOrder) {
            if (!inOrder) {
                disturbed(world.nanoTime());
            }
            look(free -> free.released(number, lock, world.nanoTime()));
        }

        /** Nobody looks at the hold from now on. */
        void drop(String state) {
            end();
            leave(false);
            record(() -> history.released(process, world.tick(), number, state));
            trace(() -> "drops the handle of " + lock + ", which is " + state);
        }

        void collected() {
            trace(() -> "no longer reaches the handle of " + lock);
        }

        void lost(LockLoss loss) {
            losses++;
            record(() ->
                    history.lost(process, world.tick(), number, loss.reason().name()));
            trace(() -> "has lost " + lock + ", as its listener says: " + loss.reason());
        }
    }

    /**
     * Looks from now on whether waiters get what is free.
     *
     * @param locks looks at that
     * @param afterwards for how long a fault has effects after its end, in nanoseconds
     */
    void lookAt(FreeLocks locks, long afterwards) {
        freeLocks = locks;
        disturbance = afterwards;
    }

    private void look(Consumer<FreeLocks> event) {
        FreeLocks known = freeLocks;
        if (known != null) {
            // A mode is the product's code, which must not be preempted here.
            Hooks.beginAtomic();
            try {
                event.accept(known);
            } finally {
                Hooks.endAtomic();
            }
        }
    }

    /** A fault strikes now and ends at a time. */
    void disturbed(long until) {
        look(free -> free.disturbed(world.nanoTime(), until + disturbance));
    }

    /** A process crashes now. */
    void crashed(long process) {
        look(free -> free.crashed(process, world.nanoTime()));
    }

    /** Returns a failure and its causes. */
    static List<Throwable> causes(Throwable failure) {
        List<Throwable> causes = new ArrayList<>();
        for (Throwable each = failure; each != null; each = each.getCause()) {
            causes.add(each);
        }
        return causes;
    }

    /** Returns a failure and its causes in one line, with the methods of the product that they come from. */
    static String describe(Throwable failure) {
        return causes(failure).stream()
                .map(each -> each
                        + Arrays.stream(each.getStackTrace())
                                .map(StackTraceElement::toString)
                                .filter(frame -> frame.startsWith(PRODUCT) && !frame.startsWith(SIMULATOR))
                                .limit(FRAMES)
                                .map(frame -> " at " + frame)
                                .collect(Collectors.joining()))
                .collect(Collectors.joining(", caused by "));
    }

    /** A rule is broken now. */
    void violation(HistoryRule rule, String what) {
        violations.add(new Violation(rule, what, world.nanoTime(), world.nanoTime()));
        world.trace("CHECK", () -> rule + ": " + what);
    }

    List<Violation> violations() {
        return violations;
    }

    /** Returns a true time that is later than all that were recorded before. */
    long tick() {
        return world.tick();
    }

    long grants() {
        return grants;
    }

    long losses() {
        return losses;
    }

    long heldNanos() {
        return heldNanos;
    }
}
