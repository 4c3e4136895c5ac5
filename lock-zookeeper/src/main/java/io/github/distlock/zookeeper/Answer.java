package io.github.distlock.zookeeper;

import io.github.distlock.spi.Deadline;
import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * The answer to one request under way. The first answer counts. A thread of ZooKeeper's client gives it, or one of
 * {@link SharedEventThread}.
 *
 * <p>A thread that waits for the answer parks, and does nothing else. The futures of the JDK would have a worker of a
 * fork-join pool run other tasks meanwhile. Such a task may take longer than the deadline, or may wait for the same
 * lock.
 *
 * <p>Thread-safe: {@link #reply} is written before the latch opens, and read after it.
 */
final class Answer<T> implements Request.Receiver<T> {
    /** After this time an answer is late. It leaves most of the default request timeout for another question. */
    private static final Duration LATE = Duration.ofMillis(300);

    private final String path;
    private final String right;
    private final Runnable late;
    private final Runnable failed;
    private final CountDownLatch answered = new CountDownLatch(1);
    private final AtomicReference<@Nullable Reply<T>> reply = new AtomicReference<>();

    private sealed interface Reply<T> {}

    private record Success<T>(T value) implements Reply<T> {}

    private record Failure<T>(Code code) implements Reply<T> {}

    /**
     * Makes the answer to a request.
     *
     * @param path the path of the request, for error messages
     * @param right the right that the request needs, for error messages
     * @param late runs if the answer is late, on the thread that waits for it; neither blocks nor throws
     * @param failed runs after an error, on the thread that waits for the answer; neither blocks nor throws
     */
    Answer(String path, String right, Runnable late, Runnable failed) {
        this.path = path;
        this.right = right;
        this.late = late;
        this.failed = failed;
    }

    @Override
    public void complete(T value) {
        give(new Success<>(value));
    }

    @Override
    public void fail(Code code) {
        give(new Failure<>(code));
    }

    private void give(Reply<T> given) {
        if (reply.compareAndSet(null, given)) {
            answered.countDown();
        }
    }

    @Override
    public boolean isDone() {
        return reply.get() != null;
    }

    /** Waits for the answer for some time, and returns whether there is one. */
    boolean isDoneWithin(long nanos) throws InterruptedException {
        return answered.await(nanos, TimeUnit.NANOSECONDS);
    }

    /**
     * Waits for the answer.
     *
     * @throws KeeperException if ZooKeeper answers with an error, or if there is no answer by the deadline. In the
     *     second case its code is {@link Code#OPERATIONTIMEOUT}, and the answer may still come later
     * @throws InterruptedException if the thread is interrupted while it waits; the answer may still come later
     */
    T await(Deadline deadline) throws KeeperException, InterruptedException {
        awaitArrival(deadline);
        Reply<T> given = reply.get();
        if (given instanceof Success<T> success) {
            return success.value();
        }
        if (given instanceof Failure<T> failure) {
            failed.run();
            throw Failures.failure(failure.code(), path, right);
        }
        throw Failures.failure(Code.OPERATIONTIMEOUT, path, right);
    }

    /** Waits until the answer is there or the deadline has passed. */
    void awaitArrival(Deadline deadline) throws InterruptedException {
        if (!isDoneWithin(Math.min(deadline.remainingNanos(), LATE.toNanos()))) {
            late.run();
            var unused = isDoneWithin(deadline.remainingNanos());
        }
    }
}
