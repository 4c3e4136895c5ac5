package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request under way. ZooKeeper's event thread gives it, once.
 *
 * <p>A thread that waits for the answer parks, and does nothing else. The futures of the JDK would have a worker of a
 * fork-join pool run other tasks meanwhile. Such a task may take longer than the deadline, or may wait for the same
 * lock.
 *
 * <p>Thread-safe: {@link #reply} is written before the latch opens, and read after it.
 */
final class Answer<T> {
    private final String path;
    private final CountDownLatch answered = new CountDownLatch(1);
    private volatile @Nullable Reply<T> reply;

    private sealed interface Reply<T> {}

    private record Success<T>(T value) implements Reply<T> {}

    private record Failure<T>(Code code) implements Reply<T> {}

    Answer(String path) {
        this.path = path;
    }

    void complete(T value) {
        give(new Success<>(value));
    }

    void fail(Code code) {
        give(new Failure<>(code));
    }

    private void give(Reply<T> given) {
        reply = given;
        answered.countDown();
    }

    boolean isDone() {
        return reply != null;
    }

    /**
     * Waits for the answer.
     *
     * @throws KeeperException if ZooKeeper answers with an error, or if there is no answer by the deadline. In the
     *     second case its code is {@link Code#OPERATIONTIMEOUT}, and the answer may still come later
     * @throws InterruptedException if the thread is interrupted while it waits; the answer may still come later
     */
    T await(Deadline deadline) throws KeeperException, InterruptedException {
        var unused = answered.await(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        Reply<T> given = reply;
        if (given instanceof Success<T> success) {
            return success.value();
        }
        throw KeeperException.create(
                given instanceof Failure<T> failure ? failure.code() : Code.OPERATIONTIMEOUT, path);
    }
}
