package io.github.distlock.redis;

import io.github.distlock.redis.connection.Connections.Server;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.SynchronousQueue;
import java.util.function.Consumer;

/** A server whose requests wait until a test lets them end. */
final class ScriptedRedis implements Redis {
    /** The requests that were sent, in their order. */
    final BlockingQueue<ScriptCall> sent = new LinkedBlockingQueue<>();
    /** How requests end, in their order: with a list, which is the answer, or with an exception. */
    final BlockingQueue<Object> ends = new SynchronousQueue<>(true);

    volatile boolean disconnected;
    volatile boolean closed;

    @Override
    public List<?> call(ScriptCall call, Deadline deadline) throws InterruptedException {
        call.noteSent();
        sent.add(call);
        Object end = ends.take();
        if (end instanceof RuntimeException error) {
            throw error;
        }
        return (List<?>) end;
    }

    @Override
    public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) throws InterruptedException {
        List<Object> answers = new ArrayList<>();
        for (ScriptCall call : calls) {
            answers.add(call(call, deadline));
        }
        return answers;
    }

    @Override
    public Object server(LockKeys keys) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void publish(ScriptCall call, Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public boolean isOneServer() {
        return true;
    }

    @Override
    public boolean sendsAgain() {
        return false;
    }

    @Override
    public boolean followsFailovers() {
        return false;
    }

    @Override
    public boolean canListen() {
        return false;
    }

    @Override
    public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
        throw new UnsupportedOperationException();
    }

    @Override
    public List<Server> servers(Deadline deadline) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void disconnect() {
        disconnected = true;
    }

    @Override
    public void close() {
        closed = true;
    }
}
