package io.github.distlock.spring;

import static io.github.distlock.spring.DistributedLocked.Mode.READ;
import static io.github.distlock.spring.DistributedLocked.Mode.WRITE;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.core.NestedExceptionUtils;

/** A method that returns a stage holds the lock until the stage completes. */
class AsynchronousTest {
    private final Application application =
            Application.over(new InMemoryStore()).start(Reports.class);
    private final Reports reports = application.bean(Reports.class);

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    static class Reports {
        @DistributedLocked(key = "reports/#{#id}", maxWait = "1m")
        public CompletableFuture<String> write(String id, Supplier<CompletableFuture<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "reports/#{#id}", maxWait = "1m")
        public CompletionStage<String> waiting(String id, Supplier<CompletionStage<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "reports/1", maxWait = "0s")
        public String inside() {
            return "inside";
        }

        @DistributedLocked(
                key = {"reports/1", "reports/2"},
                maxWait = "0s")
        public String both() {
            return LockedMethod.currentHandle().lockName();
        }

        @DistributedLocked(
                key = {"reports/1", "reports/2"},
                maxWait = "0s")
        public void aroundBoth(Runnable work) {
            work.run();
        }

        @DistributedLocked(
                key = {"reports/1", "reports/2"},
                maxWait = "0s")
        public CompletableFuture<String> bothLater() {
            return CompletableFuture.completedFuture(
                    LockedMethod.currentHandle().lockName());
        }

        @DistributedLocked(key = "reports/#{#id}", maxWait = "0s")
        public void around(String id, Runnable work) {
            work.run();
        }

        @DistributedLocked(key = "shelf", mode = READ, maxWait = "0s")
        public void reading(Runnable work) {
            work.run();
        }

        @DistributedLocked(key = "shelf", mode = READ, maxWait = "0s")
        public CompletableFuture<String> readingLater(Supplier<CompletableFuture<String>> work) {
            return work.get();
        }

        @DistributedLocked(key = "shelf", mode = WRITE, maxWait = "0s")
        public void writing(Runnable work) {
            work.run();
        }

        @DistributedLocked(key = "reports/1", maxWait = "0s")
        public CompletableFuture<String> once() {
            throw new AssertionError("ran");
        }

        @DistributedLocked(key = "reports/1", onBusy = OnBusy.SKIP)
        public CompletableFuture<String> skipped() {
            return CompletableFuture.completedFuture("ran");
        }

        @DistributedLocked(key = "reports/1", maxWait = "0s", onBusy = OnBusy.FALLBACK, fallback = "instead")
        public CompletionStage<String> falling(String text, @Nullable LockHandle held) {
            return CompletableFuture.completedFuture(text + held.fencingToken());
        }

        CompletableFuture<String> instead(String text, @Nullable LockHandle held) {
            return CompletableFuture.completedFuture("instead of " + text);
        }
    }

    private boolean isBusy() {
        return application.isHeld("reports/1");
    }

    /** Starts work, and waits until it is under way. */
    private CompletionStage<String> start(CompletionStage<String> work) {
        CountDownLatch started = new CountDownLatch(1);
        CompletionStage<String> running = reports.waiting("1", () -> {
            started.countDown();
            return work;
        });
        Waiting.until(() -> started.getCount() == 0);
        return running;
    }

    private static <T> T result(CompletionStage<T> stage) throws Exception {
        return stage.toCompletableFuture().get(30, SECONDS);
    }

    @Test
    void theLockIsHeldUntilTheStageCompletes() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletionStage<String> running = start(work);
        assertThat(isBusy()).isTrue();
        assertThat(running.toCompletableFuture()).isNotDone();

        work.complete("done");

        assertThat(result(running)).isEqualTo("done");
        assertThat(isBusy()).isFalse();
    }

    @Test
    void theLockIsReleasedIfTheStageOrTheMethodFails() {
        assertThatThrownBy(() -> result(reports.write(
                        "1", () -> CompletableFuture.failedFuture(new IllegalArgumentException("no paper")))))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(IllegalArgumentException.class);
        assertThat(isBusy()).isFalse();
        assertThatThrownBy(() -> result(reports.write("1", () -> {
                    throw new IllegalArgumentException("no ink");
                })))
                .hasCauseInstanceOf(IllegalArgumentException.class);
        assertThat(isBusy()).isFalse();
    }

    @Test
    void aCancellationEndsTheWait() {
        try (LockHandle held = application.other.lock("reports/1").acquireUninterruptibly()) {
            CompletableFuture<String> waiting = reports.waiting("1", () -> {
                        throw new AssertionError("ran");
                    })
                    .toCompletableFuture();
            Waiting.until(() -> application.isAwaited("reports/1"));

            waiting.cancel(false);

            Waiting.until(() -> !application.isAwaited("reports/1"));
        }
        assertThat(isBusy()).isFalse();
    }

    @Test
    void aCancellationCancelsTheWorkAndReleasesTheLock() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> running = start(work).toCompletableFuture();

        running.cancel(false);

        Waiting.until(work::isCancelled);
        Waiting.until(() -> !isBusy());
    }

    @Test
    void theLockIsHeldUntilWorkThatCannotBeCanceledHasEnded() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> running = start(work.minimalCompletionStage()).toCompletableFuture();

        running.completeExceptionally(new TimeoutException());
        assertThat(isBusy()).isTrue();

        work.complete("done");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aStageNeedsNoFuture() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>() {
            @Override
            public CompletableFuture<String> toCompletableFuture() {
                throw new UnsupportedOperationException();
            }
        };
        CompletionStage<String> running = start(work);

        work.complete("done");

        assertThat(result(running)).isEqualTo("done");
        assertThat(isBusy()).isFalse();
    }

    @Test
    void aBusyLockThrowsSkipsOrFallsBack() throws Exception {
        try (LockHandle held = application.other.lock("reports/1").acquireUninterruptibly()) {
            assertThatThrownBy(() -> result(reports.once())).hasCauseInstanceOf(LockBusyException.class);
            assertThat(result(reports.skipped())).isNull();
            assertThat(result(reports.falling("this", null))).isEqualTo("instead of this");
        }
        assertThat(result(reports.skipped())).isEqualTo("ran");
        assertThat(result(reports.falling("token ", null))).startsWith("token ");
    }

    @Test
    void aSilentStoreFails() {
        application.connection.pause();

        assertThatThrownBy(() -> result(reports.skipped())).hasCauseInstanceOf(LockException.class);

        application.connection.resume();
    }

    @Test
    void aLostHoldFails() {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletionStage<String> running = start(work);

        application.store.lose("reports/1");
        work.complete("done");

        assertThatThrownBy(() -> result(running)).hasCauseInstanceOf(LockLostException.class);
    }

    @Test
    void aKeyWithoutATextFailsTheFuture() {
        assertThatThrownBy(() -> result(reports.write(" ", () -> null)))
                .hasCauseInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is blank");
    }

    @Test
    void aCallInsideTheMethodJoins() throws Exception {
        assertThat(result(reports.write("1", () -> CompletableFuture.completedFuture(reports.inside()))))
                .isEqualTo("inside");
    }

    @Test
    void severalKeysInsideTheMethodJoinTheHoldOfOne() throws Exception {
        assertThat(result(reports.write("2", () -> CompletableFuture.completedFuture(reports.both()))))
                .isEqualTo("reports/1, reports/2");
        assertThat(result(reports.write("2", reports::bothLater))).isEqualTo("reports/1, reports/2");
        assertThat(isBusy()).isFalse();
        assertThat(application.isHeld("reports/2")).isFalse();
    }

    @Test
    void aStageThatACallInsideHasStartedKeepsTheLock() throws Exception {
        CompletableFuture<String> slow = new CompletableFuture<>();
        CompletableFuture<CompletableFuture<String>> inner = new CompletableFuture<>();
        String outer = result(reports.write("1", () -> {
            inner.complete(reports.write("1", () -> slow));
            return CompletableFuture.completedFuture("outer");
        }));

        assertThat(outer).isEqualTo("outer");
        assertThat(isBusy()).isTrue();
        slow.complete("slow");
        assertThat(result(inner.get(30, TimeUnit.SECONDS))).isEqualTo("slow");
        assertThat(isBusy()).isFalse();
    }

    /** Calls a method whose work goes on after the call that is around it. Returns its future. */
    private CompletableFuture<String> leaveBehind(Supplier<CompletableFuture<String>> work) {
        List<CompletableFuture<String>> left = new ArrayList<>();
        reports.around("1", () -> left.add(reports.write("1", work)));
        return left.get(0);
    }

    @Test
    void workThatACallHasLeftBehindKeepsLaterCallsOfItsThreadOut() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> left = leaveBehind(() -> work);

        assertThatThrownBy(reports::inside).isInstanceOf(LockBusyException.class);
        assertThatThrownBy(reports::both).isInstanceOf(LockBusyException.class);
        assertThatThrownBy(() -> result(reports.once())).hasCauseInstanceOf(LockBusyException.class);
        assertThat(application.isHeld("reports/2")).isFalse();

        work.complete("done");
        assertThat(result(left)).isEqualTo("done");
        assertThat(reports.inside()).isEqualTo("inside");
        assertThat(reports.both()).isEqualTo("reports/1, reports/2");
    }

    @Test
    void workOfSeveralKeysThatACallHasLeftBehindKeepsLaterCallsOut() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        List<CompletableFuture<String>> left = new ArrayList<>();
        reports.around("1", () -> reports.aroundBoth(() -> left.add(reports.write("2", () -> work))));

        assertThatThrownBy(() -> reports.around("1", () -> {})).isInstanceOf(LockBusyException.class);
        assertThatThrownBy(() -> reports.around("2", () -> {})).isInstanceOf(LockBusyException.class);

        work.complete("done");
        assertThat(result(left.get(0))).isEqualTo("done");
        Waiting.until(() -> !isBusy());
        assertThat(reports.both()).isEqualTo("reports/1, reports/2");
    }

    @Test
    void callsAroundWorkThatGoesOnStillJoin() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        List<CompletableFuture<String>> left = new ArrayList<>();

        reports.around("1", () -> {
            left.add(reports.write("1", () -> {
                assertThat(reports.inside()).isEqualTo("inside");
                return work;
            }));
            assertThat(reports.inside()).isEqualTo("inside");
        });

        work.complete("done");
        assertThat(result(left.get(0))).isEqualTo("done");
        assertThat(isBusy()).isFalse();
    }

    @Test
    void aWriterWaitsForReadersThatACallOfItsThreadHasLeftBehind() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        List<CompletableFuture<String>> left = new ArrayList<>();
        reports.reading(() -> left.add(reports.readingLater(() -> work)));

        reports.reading(() -> {});
        assertThatThrownBy(() -> reports.writing(() -> {})).isInstanceOf(LockBusyException.class);

        work.complete("done");
        assertThat(result(left.get(0))).isEqualTo("done");
        reports.writing(() -> {});
    }

    @Test
    void workThatAWriterHasLeftBehindKeepsLaterWritersOfItsThreadOut() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        List<CompletableFuture<String>> left = new ArrayList<>();
        reports.writing(() -> left.add(reports.readingLater(() -> work)));

        assertThatThrownBy(() -> reports.writing(() -> {})).isInstanceOf(LockBusyException.class);
        assertThatThrownBy(() -> reports.reading(() -> {})).isInstanceOf(LockBusyException.class);

        work.complete("done");
        assertThat(result(left.get(0))).isEqualTo("done");
        reports.writing(() -> {});
    }

    @Test
    void aCallJoinsWhatTheApplicationHoldsAlthoughWorkWasLeftBehind() throws Exception {
        CompletableFuture<String> work = new CompletableFuture<>();
        CompletableFuture<String> left;
        DistributedLock lock = application.bean(LockClient.class).lock("reports/1");
        try (LockHandle held = lock.reentrant().acquire()) {
            left = leaveBehind(() -> work);
            assertThat(reports.inside()).isEqualTo("inside");
        }

        assertThatThrownBy(reports::inside).isInstanceOf(LockBusyException.class);
        assertThat(lock.reentrant().tryAcquire()).isEmpty();

        work.complete("done");
        assertThat(result(left)).isEqualTo("done");
        assertThat(reports.inside()).isEqualTo("inside");
    }

    static class OwnFuture extends CompletableFuture<String> {}

    static class OfOwnFuture {
        @DistributedLocked(key = "k")
        public OwnFuture run() {
            return new OwnFuture();
        }
    }

    static class OfFutures {
        @DistributedLocked(key = "k")
        public CompletableFuture<List<Future<String>>> run() {
            return CompletableFuture.completedFuture(List.of());
        }
    }

    @Test
    void otherFuturesFailAtStartUp() {
        assertThat(failure(OfOwnFuture.class))
                .endsWith("run(): returns OwnFuture; return CompletionStage or CompletableFuture");
        assertThat(failure(OfFutures.class))
                .endsWith("run(): returns Future, whose work would go on without the lock after the call;"
                        + " return the finished result, a CompletionStage or a publisher");
    }

    private static String failure(Class<?> bean) {
        Throwable thrown = catchThrowable(() -> Application.of(bean).close());
        return String.valueOf(NestedExceptionUtils.getMostSpecificCause(thrown).getMessage());
    }
}
