package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import redis.clients.jedis.exceptions.JedisException;

/** Checks the outcome of calls that a caller-supplied client answers late, not at all, or with failures. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BackgroundCallsTest {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String client = UUID.randomUUID().toString();
    private final RecordingContext engine = new RecordingContext(client);
    private final BackgroundCalls calls = new BackgroundCalls(1, TestNodes.context(LockClock.system(), engine));
    private final List<String> unused = new CopyOnWriteArrayList<>();
    private final CountDownLatch busy = new CountDownLatch(1);
    private final CountDownLatch free = new CountDownLatch(1);

    @AfterEach
    void close() {
        free.countDown();
        calls.close();
    }

    private String await(Callable<String> work, Duration time) throws InterruptedException {
        return calls.await(work, unused::add, Deadline.after(time, LockClock.system()));
    }

    /** Keeps the only thread until the test lets it go. */
    private String beBusy() throws InterruptedException {
        busy.countDown();
        assertTrue(free.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        return "late";
    }

    private void occupy() throws InterruptedException {
        calls.execute(() -> {
            try {
                var unusedResult = beBusy();
            } catch (InterruptedException e) {
                // The threads are closed.
            }
        });
        assertTrue(busy.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
    }

    @Test
    void api_aResultThatIsTakenIsNotGivenUp() throws InterruptedException {
        assertEquals("result", await(() -> "result", PATIENCE));

        assertThat(unused).isEmpty();
    }

    @Test
    void v6_aResultAfterTheCallerHasGivenUpIsGivenUp() throws InterruptedException {
        FutureTask<String> call = new FutureTask<>(() -> await(this::beBusy, PATIENCE));
        Thread caller = new Thread(call);
        caller.start();
        assertTrue(busy.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        caller.interrupt();
        assertThatThrownBy(() -> call.get(PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .hasCauseInstanceOf(InterruptedException.class);

        free.countDown();

        Waiting.await("it is given up", PATIENCE, () -> unused.equals(List.of("late")));
    }

    @Test
    void v8_aFailureOfTheClientIsThatOfTheCall() {
        JedisException failure = new JedisException("it has failed");

        assertThatThrownBy(() -> await(
                        () -> {
                            throw failure;
                        },
                        PATIENCE))
                .isSameAs(failure);
        assertThatThrownBy(() -> await(
                        () -> {
                            throw new InterruptedException();
                        },
                        PATIENCE))
                .isInstanceOf(JedisException.class)
                .hasMessage(OwnConnections.CLOSED);
        assertThatThrownBy(() -> await(
                        () -> {
                            throw new IllegalArgumentException("it is wrong");
                        },
                        PATIENCE))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("it is wrong");
    }

    @Test
    void v6_threadsEndAfterASecondWithoutCalls() throws InterruptedException {
        assertEquals("result", await(() -> "result", PATIENCE));

        Waiting.await(
                "the thread has ended",
                PATIENCE,
                () -> Thread.getAllStackTraces().keySet().stream()
                        .noneMatch(thread -> thread.getName().startsWith("distlock-" + client)));
    }

    // What goes back to the client

    @Test
    void v6_anotherThreadGivesBack() throws InterruptedException {
        CountDownLatch given = new CountDownLatch(1);
        Thread[] thread = new Thread[1];

        calls.giveBack(() -> {
            thread[0] = Thread.currentThread();
            given.countDown();
        });

        assertTrue(given.await(PATIENCE.toSeconds(), TimeUnit.SECONDS));
        assertThat(thread[0]).isNotSameAs(Thread.currentThread());
    }

    @Test
    void v6_whatWaitsToBeGivenBackIsGivenBackAtTheEnd() throws InterruptedException {
        occupy();
        calls.execute(() -> unused.add("a request"));
        calls.giveBack(() -> unused.add("given back"));

        calls.close();

        assertThat(unused).containsExactly("given back");
    }

    @Test
    void v5_closedThreadsOnlyGiveBack() {
        calls.close();

        assertThatThrownBy(() -> await(() -> "result", PATIENCE)).hasMessage(OwnConnections.CLOSED);
        assertThatThrownBy(calls::requireOpen).hasMessage(OwnConnections.CLOSED);
        assertThatThrownBy(() -> calls.execute(() -> {})).isInstanceOf(RejectedExecutionException.class);
        calls.giveBack(() -> unused.add("given back"));
        assertThat(unused).containsExactly("given back");
    }
}
