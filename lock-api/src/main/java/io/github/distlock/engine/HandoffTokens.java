package io.github.distlock.engine;

import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;

/**
 * The fencing tokens of a lease. Each local handoff takes the next one of a range, which the store's base begins. The
 * length of the range bounds how many handoffs follow until the store is asked again.
 *
 * <p><b>The next range.</b> When few handoffs are left, the thread that has just handed off the lease asks the store
 * for another base. The lease is handed on meanwhile, so no waiter waits for the answer. The store has a base only if
 * no contender waits. The new range counts from the hold that was the last one before the request was sent. So no more
 * handoffs than one range has follow the step in which the store has seen that nobody waits (V3). The time for handoffs
 * still counts from the grant. When it is over, the lease goes back, and other programs find the lock free.
 *
 * <p><b>Few handoffs</b> are twice as many as there were between the last request and its answer, but at least 16, and
 * at most half of a range. So a slow store is asked earlier, and waiters rarely wait for its answer.
 *
 * <p><b>No longer validity.</b> The request extends nothing. Until the lease ends, S1 and S6 depend on its validity as
 * before.
 *
 * <p><b>Tokens increase.</b> Only the thread that controls the lease takes a token. The base of each range is greater
 * than the one before, and a range has at most 256 tokens. If an answer is lost, its base is not used.
 *
 * <p><b>One successor.</b> If the range is used up before the answer comes, the holder that releases leaves the lease
 * to the thread that asks, by a compare-and-set of the state from {@code ASKING}. The thread that asks ends with such a
 * compare-and-set, too. If that fails, it controls the lease, and hands it off or gives it back. It does so whatever
 * the request throws, such as an overflow of the caller's stack.
 *
 * <p><b>No missed wake-up.</b> While a thread asks, the first waiter expects a handoff. A refusal writes the state and
 * then reads the number of tokens. A handoff writes that number and then reads the state. Both are volatile, so after
 * the last handoff at least one of the two threads wakes the first waiter, which then asks the store.
 */
final class HandoffTokens {
    /** About twice as many handoffs as a request to a fast store lasts. */
    private static final int EARLY = 16;

    private final int maxHandoffs;
    private final Dormancy.Line line;
    private final Runnable left;
    private final AtomicReference<State> state = new AtomicReference<>(State.IDLE);
    private volatile Range range;
    private volatile int taken;
    private volatile int asksBelow;

    private enum State {
        IDLE,
        ASKING,
        /** A thread asks, and controls the lease. */
        LEFT,
        /** There will be no further range. */
        LAST
    }

    /**
     * A range of tokens.
     *
     * @param first its first token
     * @param from the number of the hold whose token that is, or would be
     */
    private record Range(long first, int from) {}

    /**
     * Makes the tokens of a lease.
     *
     * @param first the token of the first hold
     * @param maxHandoffs how many handoffs may follow a request
     * @param line the waiters
     * @param left offers the lease, which has no hold, to the waiters, or gives it back
     */
    HandoffTokens(long first, int maxHandoffs, Dormancy.Line line, Runnable left) {
        this.line = line;
        this.left = left;
        this.range = new Range(first, 0);
        this.maxHandoffs = maxHandoffs;
        this.asksBelow = asksBelow(EARLY);
    }

    private int asksBelow(int handoffs) {
        return Math.min(Math.max(EARLY, handoffs), maxHandoffs / 2);
    }

    /** Returns the token of the next hold. Only the thread that controls the lease calls this. */
    long next() {
        int before = taken;
        taken = before + 1;
        Range present = range;
        return present.first + (before - present.from);
    }

    private int handoffsLeft() {
        return maxHandoffs - (taken - 1 - range.from);
    }

    boolean isUsedUp() {
        return handoffsLeft() <= 0;
    }

    /** Returns whether the range is used up, and no thread asks for another one. */
    boolean isOver() {
        State now = state.get();
        return now != State.ASKING && now != State.LEFT && isUsedUp();
    }

    /** Returns whether few handoffs are left, and nobody has asked for another range. */
    boolean isAlmostUsedUp() {
        return handoffsLeft() < asksBelow && state.get() == State.IDLE;
    }

    /**
     * Asks the store for another range, unless another thread does. The caller does not control the lease any more.
     *
     * @param store returns another base, or 0 if there is none
     */
    void ask(LongSupplier store) {
        if (!state.compareAndSet(State.IDLE, State.ASKING)) {
            return;
        }
        int from = taken - 1;
        State next = State.LAST;
        try {
            long base = store.getAsLong();
            if (base != 0) {
                range = new Range(FencingTokens.first(base), from);
                asksBelow = asksBelow(2 * (taken - 1 - from));
                next = State.IDLE;
            }
        } finally {
            answered(next);
        }
    }

    private void answered(State next) {
        if (!state.compareAndSet(State.ASKING, next)) {
            state.set(next);
            left.run();
        } else if (isOver()) {
            line.wakeHead();
        }
    }

    /** Leaves the lease to the thread that asks, for a waiter. Returns false if none asks or none waits. */
    boolean leaveToAsker() {
        return isUsedUp() && line.head() != null && state.compareAndSet(State.ASKING, State.LEFT);
    }
}
