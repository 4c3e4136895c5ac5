package io.github.distlock.tests.history;

import java.io.FileOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Writes each event to its file without a buffer, so that the file is complete when its process is killed. Ignores
 * events after {@link #close()}. Does not use a channel, which an interrupt of a worker would close. Thread-safe.
 */
final class HistoryWriter implements AutoCloseable {
    private final ReentrantLock lock = new ReentrantLock();
    private final FileOutputStream file;
    private long events;
    private volatile boolean closed;

    HistoryWriter(Path path) {
        try {
            file = new FileOutputStream(path.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write " + path, e);
        }
    }

    void write(long at, Event.Kind kind, long operation, String name, long token, long until, String note) {
        lock.lock();
        try {
            if (closed) {
                return;
            }
            Event event = new Event(++events, at, kind, operation, name, token, until, note);
            file.write(event.line().getBytes(StandardCharsets.UTF_8));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the history", e);
        } finally {
            lock.unlock();
        }
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        lock.lock();
        try {
            closed = true;
            file.close();
        } catch (IOException e) {
            throw new UncheckedIOException("cannot close the history", e);
        } finally {
            lock.unlock();
        }
    }
}
