package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/** The answer to one request under way. Completed on ZooKeeper's event thread, where nothing may block. */
final class Answer<T extends @Nullable Object> extends CompletableFuture<T> {
    private final String path;

    Answer(String path) {
        this.path = path;
    }

    void fail(int code) {
        Code known = Code.get(code);
        completeExceptionally(KeeperException.create(known == null ? Code.SYSTEMERROR : known, path));
    }

    /**
     * The answer, soon.
     *
     * @throws KeeperException what ZooKeeper says, or {@link Code#OPERATIONTIMEOUT} when it has not said anything in
     *     time: then this may still be completed
     */
    T await(Deadline deadline) throws KeeperException, InterruptedException {
        try {
            return get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw KeeperException.create(Code.OPERATIONTIMEOUT, path);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KeeperException said) {
                throw KeeperException.create(said.code(), said.getPath());
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
