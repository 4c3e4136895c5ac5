package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(PromiseNames.class)
class BackendThreadsTest {
    private final RecordingContext context = new RecordingContext("test");

    @Test
    void api_aThreadOfTheEngineRunsTheTask() throws Exception {
        CompletableFuture<Thread> runs = new CompletableFuture<>();

        Thread made = BackendThreads.start(context, "role", () -> runs.complete(Thread.currentThread()));

        assertThat(runs.get(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isSameAs(made);
        assertThat(made.getName()).isEqualTo("distlock-test-role");
    }

    @Test
    void v8_aThreadThatCannotStartIsAnErrorThatMayPass() {
        context.refuseThreads("role"::equals);

        assertThatThrownBy(() -> BackendThreads.start(context, "role", () -> {}))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("could not be started");
    }
}
