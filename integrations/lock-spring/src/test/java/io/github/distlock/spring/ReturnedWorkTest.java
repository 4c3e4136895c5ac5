package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import io.github.distlock.memory.InMemoryStore;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import reactor.core.publisher.Mono;

/** A declared type such as Object does not say that a method returns work. No work goes on without the lock. */
class ReturnedWorkTest {
    private final Application application =
            Application.over(new InMemoryStore()).start(Reports.class);
    private final Reports reports = application.bean(Reports.class);

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    static class Reports {
        @DistributedLocked(key = "reports")
        public Object any(Object result) {
            return result;
        }

        @DistributedLocked(key = "reports")
        public <T> T generic(T result) {
            return result;
        }
    }

    private boolean isBusy() {
        return application.isHeld("reports");
    }

    private static String refusal(String method, String type) {
        return "@DistributedLocked on " + Reports.class.getName() + "." + method + "(Object): returned " + type
                + " as an Object, and its work would go on without the lock; declare the type that it returns";
    }

    @Test
    void aFutureIsRefusedAndKeepsTheLockUntilItCompletes() {
        CompletableFuture<String> work = new CompletableFuture<>();

        assertThatIllegalStateException()
                .isThrownBy(() -> reports.any(work))
                .withMessage(refusal("any", "CompletableFuture"));
        assertThat(isBusy()).isTrue();

        work.complete("done");
        Waiting.until(() -> !isBusy());
    }

    @Test
    void aPublisherIsRefusedAndDoesNotRun() {
        AtomicInteger runs = new AtomicInteger();

        assertThatIllegalStateException()
                .isThrownBy(() -> reports.generic(Mono.fromSupplier(runs::incrementAndGet)))
                .withMessageContaining("declare the type that it returns");

        assertThat(runs).hasValue(0);
        assertThat(isBusy()).isFalse();
    }

    @Test
    void otherFuturesAreCanceled() {
        FutureTask<String> task = new FutureTask<>(() -> "done");

        assertThatIllegalStateException().isThrownBy(() -> reports.any(task)).withMessage(refusal("any", "FutureTask"));

        assertThat(task.isCancelled()).isTrue();
        assertThat(isBusy()).isFalse();
    }

    @Test
    void streamsAreRefusedAndFinishedResultsAreNot() {
        assertThatIllegalStateException().isThrownBy(() -> reports.any(Stream.of(1)));

        assertThat(reports.any(List.of(1))).isEqualTo(List.of(1));
        assertThat(reports.<String>generic("done")).isEqualTo("done");
        assertThat(reports.any(null)).isNull();
    }
}
