package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.redis.connection.Connections.Server;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** A server whose requests end as a test says, or wait until it lets them end. */
final class ScriptedRedis implements Redis {
    /** Says how a request ends: with a list, which is the answer, or with an exception. */
    interface Answers {
        Object to(ScriptCall call) throws InterruptedException;
    }

    /** The requests that were sent, in their order. */
    final BlockingQueue<ScriptCall> sent = new LinkedBlockingQueue<>();
    /** How requests end, in their order: with a list, which is the answer, or with an exception. */
    final BlockingQueue<Object> ends = new SynchronousQueue<>(true);
    /** The requests whose messages were published. */
    final Queue<ScriptCall> published = new ConcurrentLinkedQueue<>();

    private final Answers answers;
    private volatile @Nullable Consumer<String> reader;
    volatile boolean canListen;
    /** Whether a subscription was confirmed, and its confirmation has woken all waiters. */
    volatile boolean isSubscribed;

    /** The servers that can be asked. Without them, a test asks none. */
    volatile @Nullable List<Server> servers;

    /** How often the subscription was checked. */
    final AtomicInteger checks = new AtomicInteger();

    volatile boolean followsFailovers;
    volatile boolean sendsAgain;
    volatile boolean mayNotWait;
    volatile boolean disconnected;
    volatile boolean closed;

    /** Lets requests wait for {@link #ends}. */
    ScriptedRedis() {
        this.answers = call -> ends.take();
    }

    ScriptedRedis(Answers answers) {
        this.answers = answers;
    }

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        Object end = end(call);
        if (end instanceof RuntimeException error) {
            throw error;
        }
        return (List<?>) end;
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        List<Object> ended = new ArrayList<>();
        for (ScriptCall call : calls) {
            ended.add(end(call));
        }
        return ended;
    }

    private Object end(ScriptCall call) throws InterruptedException {
        call.noteSent();
        sent.add(call);
        return answers.to(call);
    }

    @Override
    public Object server(LockKeys keys) {
        return "server";
    }

    @Override
    public void publish(ScriptCall call, Deadline deadline) {
        published.add(call);
    }

    @Override
    public boolean isOneServer() {
        return true;
    }

    @Override
    public boolean sendsAgain() {
        return sendsAgain;
    }

    @Override
    public void requireMayWait() {
        if (mayNotWait) {
            throw new IllegalStateException("no contender may wait");
        }
    }

    @Override
    public boolean followsFailovers() {
        return followsFailovers;
    }

    @Override
    public boolean canListen() {
        return canListen;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        reader = messages;
        return new Subscribed(subscribed);
    }

    /** Sends a message to the subscription. */
    void send(String message) {
        requireNonNull(reader).accept(message);
    }

    @Override
    public List<Server> servers(Deadline deadline) {
        List<Server> all = servers;
        if (all == null) {
            throw new UnsupportedOperationException();
        }
        return all;
    }

    @Override
    public void disconnect() {
        disconnected = true;
    }

    @Override
    public void close() {
        closed = true;
    }

    /** A subscription that is confirmed at once, and lasts until its end. */
    private final class Subscribed implements Listening {
        private final Runnable confirmed;
        private final CountDownLatch ended = new CountDownLatch(1);

        private Subscribed(Runnable confirmed) {
            this.confirmed = confirmed;
        }

        @Override
        public void run() throws InterruptedException {
            confirmed.run();
            isSubscribed = true;
            ended.await();
        }

        @Override
        public void askForSignOfLife() {
            checks.incrementAndGet();
        }

        @Override
        public boolean isSilent() {
            return false;
        }

        @Override
        public Object server() {
            return "server";
        }

        @Override
        public void end() {
            ended.countDown();
        }
    }
}
