package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.ErrorReply;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One request: a script, its lock, and its arguments. The first argument numbers the request, and the reply repeats it.
 * So a reply to another request is not taken for the answer to this one.
 */
final class ScriptCall {
    private static final AtomicLong REQUESTS = new AtomicLong();

    private final byte[] request =
            Long.toString(REQUESTS.incrementAndGet(), Character.MAX_RADIX).getBytes(UTF_8);
    private final Script script;
    private final String lockName;
    private final List<byte[]> keys;
    private final Object[] arguments;
    private volatile boolean sent;
    private volatile boolean sentAgain;
    private volatile @Nullable ScriptCall alone;
    private volatile List<Notice> notices = List.of();
    private volatile boolean isUnfinished;

    /**
     * An argument that says whether an earlier copy of a request may have been executed: 1 or 0.
     *
     * @param earlier whether an earlier request of the contender may have been
     */
    record SentBefore(boolean earlier) {}

    /** A message to a waiter that the client publishes. One without a channel says that the script has not finished. */
    record Notice(String channel, String message) {
        private static Notice of(Object reply) {
            List<?> handoff = Replies.list(reply);
            return new Notice(Replies.text(handoff.get(0)), Replies.text(handoff.get(1)));
        }
    }

    /**
     * Makes a request with all keys of a lock.
     *
     * @param arguments texts, encoded texts, numbers, and {@link SentBefore}
     */
    ScriptCall(Script script, LockKeys keys, Object... arguments) {
        this(script, keys.name, script.keysOf(keys), arguments);
    }

    /**
     * Makes a request with some keys of a lock.
     *
     * @param keys the keys that the script names
     * @param arguments as for the other constructor
     */
    ScriptCall(Script script, String lockName, List<byte[]> keys, Object... arguments) {
        this.script = script;
        this.lockName = lockName;
        this.keys = keys;
        this.arguments = arguments;
    }

    /**
     * Returns the request to send in place of this one, or null. If the server has refused this one because it migrates
     * the slot of the keys, the other one names only those that exist while the lock is held.
     */
    @Nullable
    ScriptCall alone(Object reply) {
        Script instead = script.alone();
        if (instead == null || keys.size() == instead.keysAlone() || !ErrorReply.isOfMigratingSlot(reply)) {
            return null;
        }
        ScriptCall other = new ScriptCall(instead, lockName, keys.subList(0, instead.keysAlone()), arguments);
        alone = other;
        return other;
    }

    boolean wasSentAlone() {
        return alone != null;
    }

    /** Returns whether the same request twice does no more than once. */
    boolean isRepeatable() {
        return script != Script.FORCE_RELEASE;
    }

    /** Notes that the request may reach the server. Before this, it certainly has not. */
    void noteSent() {
        sent = true;
    }

    boolean wasSent() {
        return sent;
    }

    /** Notes that another copy of this request may be under way. */
    void noteSentAgain() {
        sentAgain = true;
    }

    boolean wasSentAgain() {
        ScriptCall other = alone;
        return sentAgain || (other != null && other.wasSentAgain());
    }

    /** Returns the messages in the reply to this request. */
    List<Notice> notices() {
        return notices;
    }

    /** Returns whether {@link Script#SERVE} has to go on where this request has stopped. */
    boolean isUnfinished() {
        return isUnfinished;
    }

    String lockName() {
        return lockName;
    }

    Script script() {
        return script;
    }

    List<byte[]> keys() {
        return keys;
    }

    /** Returns the lock key, whose slot is that of all keys. */
    byte[] lockKey() {
        return keys.get(0);
    }

    /** Returns the arguments as the script reads them. The first one is the number of the request. */
    List<byte[]> arguments() {
        List<byte[]> texts = new ArrayList<>(1 + arguments.length);
        addArguments(texts::add);
        return texts;
    }

    /** Does the same, and makes no list. */
    void addArguments(Consumer<byte[]> texts) {
        texts.accept(request);
        for (Object argument : arguments) {
            texts.accept(
                    argument instanceof byte[] encoded
                            ? encoded
                            : text(argument).getBytes(UTF_8));
        }
    }

    private String text(Object argument) {
        if (argument instanceof SentBefore before) {
            return before.earlier || sentAgain ? "1" : "0";
        }
        return String.valueOf(argument);
    }

    /**
     * Returns the reply without the number of the request and without notices. Returns null if the reply belongs to
     * another request: somebody has sent a request on this connection and has not read the reply.
     */
    @Nullable
    List<?> answer(@Nullable Object reply) {
        List<?> parts = reply instanceof List<?> list ? list : Collections.singletonList(reply);
        if (parts.isEmpty() || !(parts.get(0) instanceof byte[] answered) || !Arrays.equals(answered, request)) {
            return null;
        }
        int end = parts.size();
        while (parts.get(end - 1) instanceof List<?>) {
            end--;
        }
        if (end < parts.size()) {
            noteNotices(parts.subList(end, parts.size()));
        }
        return parts.subList(1, end);
    }

    private void noteNotices(List<?> parts) {
        List<Notice> all = parts.stream().map(Notice::of).toList();
        notices = all.stream().filter(notice -> !notice.channel.isEmpty()).toList();
        isUnfinished = notices.size() < all.size();
    }
}
