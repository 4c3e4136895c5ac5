package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request under way. ZooKeeper's event thread completes it, so dependent actions must not block.
 *
 * <p>Thread-safe.
 */
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
     * Waits for the answer.
     *
     * @throws KeeperException if ZooKeeper answers with an error, or if there is no answer by the deadline. In the
     *     second case its code is {@link Code#OPERATIONTIMEOUT}, and the answer may still come later
     * @throws InterruptedException if the thread is interrupted while it waits; the answer may still come later
     */
    T await(Deadline deadline) throws KeeperException, InterruptedException {
        try {
            return get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (TimeoutException e) {
            throw KeeperException.create(Code.OPERATIONTIMEOUT, path);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof KeeperException error) {
                throw KeeperException.create(error.code(), error.getPath());
            }
            throw new IllegalStateException(e.getCause());
        }
    }
}
