package io.github.distlock.redis;

import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import java.util.List;

/**
 * Sends one script for many locks, if one server keeps them all. The reply only says for which locks the script has
 * done its work. Each other lock then needs a request of its own, which finds out why. So one lock hides no other
 * lock's answer.
 *
 * <p>The server may refuse the script, as a cluster behind a proxy does. If such a server executes the requests for
 * single locks, the client sends it no more scripts for many locks. Thread-safe.
 */
final class ManyLocks {
    private final Redis redis;
    private volatile boolean isRefused;

    ManyLocks(Redis redis) {
        this.redis = redis;
    }

    /**
     * What a script has done.
     *
     * @param digits one for each lock, and 0 if nothing was done; none if the server has refused the script
     * @param mayBeDone whether an earlier copy of the script may have done the work that this one has not done
     * @param mayPass whether the server has refused the script only because it cannot keep locks at present
     */
    record Answer(String digits, boolean mayBeDone, boolean mayPass) {
        boolean isRefused() {
            return digits.isEmpty();
        }

        /** Returns the number for the lock at this position; 0 if the server has refused the script. */
        int at(int place) {
            return isRefused() ? 0 : digits.charAt(place) - '0';
        }
    }

    /** Returns whether such a script is worth sending for this many locks. */
    boolean isFor(int number) {
        return number > 1 && !isRefused && redis.isOneServer();
    }

    /**
     * Sends a script. Throws if its outcome is unknown.
     *
     * @param first one of the locks, for errors
     * @param keys one of each lock
     */
    Answer send(Script script, LockKeys first, List<byte[]> keys, Object[] arguments, Deadline deadline)
            throws InterruptedException {
        ScriptCall call = new ScriptCall(script, first.name, keys, arguments);
        Object reply = redis.callAll(List.of(call), deadline).get(0);
        if (reply instanceof List<?> answer && answer.get(0) instanceof byte[] digits && digits.length == keys.size()) {
            return new Answer(Replies.text(digits), call.wasSentAgain(), false);
        }
        boolean mayPass =
                reply instanceof ErrorReply error && ErrorReply.isOfAnotherServer(String.valueOf(error.getMessage()));
        return new Answer("", true, mayPass);
    }

    /** Notes that the server has answered requests for single locks after it has refused a script for all of them. */
    void noteRefused() {
        isRefused = true;
    }
}
