package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * What one server answers to one ballot, and what the ballot may have left there. Thread-safe; no method blocks.
 *
 * <p>A ballot that is given up ends its votes at once, also those whose answer is still to come: then the end follows
 * the answer. If the answer is missing although the request was sent, the server notes that it must not grant the vote
 * when it arrives.
 */
final class Vote {
    /** For how long the end of a vote is sent to a server that does not answer. */
    private static final Duration ENDING = Duration.ofSeconds(5);

    final QuorumServer server;
    /** What {@code vote.lua} has answered. */
    final CompletableFuture<List<?>> answer;

    private final LockKeys keys;
    private final String value;
    private final @Nullable ScriptCall ask;
    private final LockClock clock;
    /** The vote for an earlier ballot of the contender that must end before the server is asked again, or null. */
    private final @Nullable Vote earlier;
    /** Completes when the server has nothing of this vote any more. */
    private final AtomicReference<@Nullable CompletableFuture<Boolean>> ending = new AtomicReference<>();

    private Vote(
            QuorumServer server,
            LockKeys keys,
            String value,
            @Nullable ScriptCall ask,
            CompletableFuture<List<?>> answer,
            @Nullable Vote earlier,
            LockClock clock) {
        this.server = server;
        this.keys = keys;
        this.value = value;
        this.ask = ask;
        this.answer = answer;
        this.earlier = earlier;
        this.clock = clock;
    }

    /** Asks a server. */
    static Vote ask(
            QuorumServer server, LockKeys keys, String value, ScriptCall ask, Deadline deadline, LockClock clock) {
        return new Vote(server, keys, value, ask, server.call(ask, deadline), null, clock);
    }

    /** Does not ask a server that may still have something of an earlier ballot, and ends that. */
    static Vote after(Vote earlier) {
        Vote first = earlier.earlier == null ? earlier : earlier.earlier;
        var unused = first.end();
        return new Vote(
                first.server,
                first.keys,
                first.value,
                null,
                CompletableFuture.failedFuture(
                        new IllegalStateException("an earlier request to this server is still to be withdrawn")),
                first,
                first.clock);
    }

    /** Returns whether the server has nothing of this vote, nor of the earlier one. */
    boolean isOver() {
        CompletableFuture<Boolean> known = earlier == null ? ending.get() : earlier.ending.get();
        return known != null && known.isDone() && !known.isCompletedExceptionally();
    }

    /** Returns whether the server has granted the vote, as far as its answer is here. */
    boolean isGranted() {
        return answer.isDone() && !answer.isCompletedExceptionally() && isGranted(answer.join());
    }

    static boolean isGranted(List<?> answer) {
        return Replies.number(answer.get(0)) == 1;
    }

    /** Returns the base of a vote that is granted. */
    static long base(List<?> answer) {
        return Replies.number(answer.get(1));
    }

    /** Returns whether the server may have granted the vote. */
    boolean mayBeGranted() {
        if (!answer.isDone()) {
            return true;
        }
        return answer.isCompletedExceptionally() ? ask != null && ask.wasSent() : isGranted();
    }

    /** Returns whether a request for this vote may reach the server after what is sent now. */
    boolean mayArriveLate() {
        return !answer.isDone() || answer.isCompletedExceptionally() || (ask != null && ask.wasSentAgain());
    }

    /**
     * Removes everything of this vote from the server, once its answer is here. Tries again if an earlier try has
     * failed.
     *
     * @return completes when that is done, or exceptionally if it may not be done
     */
    CompletableFuture<Boolean> end() {
        if (earlier != null) {
            return earlier.end();
        }
        CompletableFuture<Boolean> known = ending.get();
        if (known != null && !known.isCompletedExceptionally()) {
            return known;
        }
        CompletableFuture<Boolean> next = answer.handle((reply, error) -> mayBeGranted() || mayArriveLate())
                .thenCompose(may -> may && requireNonNull(ask).wasSent() ? withdraw() : nothing());
        var unused = ending.compareAndSet(known, next);
        return requireNonNull(ending.get());
    }

    private static CompletableFuture<Boolean> nothing() {
        return CompletableFuture.completedFuture(true);
    }

    private CompletableFuture<Boolean> withdraw() {
        ScriptCall call = mayArriveLate() ? new ScriptCall(Script.WITHDRAW, keys, value, "", 1) : compareAndDelete(0);
        return server.call(call, Deadline.after(ENDING, clock)).thenApply(answered -> true);
    }

    /**
     * Makes the request that releases the vote of a hold.
     *
     * @param lockDelay in milliseconds, or 0
     */
    ScriptCall release(long lockDelay) {
        return mayArriveLate()
                ? new ScriptCall(Script.RELEASE, keys, value, 1, 0, lockDelay)
                : compareAndDelete(lockDelay);
    }

    /** No contender waits in a quorum, so that is all. */
    private ScriptCall compareAndDelete(long lockDelay) {
        return new ScriptCall(Script.END_ALONE, keys.name, keys.lockAlone(), value, 0, 0, lockDelay);
    }
}
