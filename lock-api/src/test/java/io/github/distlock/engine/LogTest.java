package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is said, and how loudly. */
class LogTest extends EngineTest {
    private final CapturedLog log = new CapturedLog();

    @AfterEach
    void close() {
        log.close();
    }

    @Test
    void anOutageIsOneWarningAtItsBeginningAndOneAtItsEndForAllHolds() throws Exception {
        List<LockHandle> holds = new ArrayList<>();
        for (int i = 0; i < 50; i++) {
            holds.add(client.lock("lock" + i).acquire());
        }
        memory.pause();
        store.advance(Duration.ofSeconds(15));
        assertThat(log.at(Level.WARN)).singleElement().asString().contains("renewal of lock \"lock", "failed");
        memory.resume();
        store.advance(Duration.ofSeconds(5));
        assertThat(log.at(Level.WARN)).hasSize(2).last().asString().contains("answered again");
        assertThat(log.at(Level.ERROR)).isEmpty();
        holds.forEach(LockHandle::close);
    }

    @Test
    void aLossIsAnError() throws Exception {
        LockHandle held = lock.acquire();
        store.lose("a");
        assertThat(held.isHeld()).isFalse();
        assertThat(log.at(Level.ERROR)).singleElement().asString().contains("lock \"a\" was lost (GONE)");
    }

    @Test
    void anEndThatWasAskedForIsAWarning() throws Exception {
        LockHandle held = client.lock("a", LockOptions.defaults().fixedLease(Duration.ofSeconds(1)))
                .acquire();
        store.advance(Duration.ofSeconds(2));
        assertThat(held.isHeld()).isFalse();
        assertThat(log.at(Level.WARN)).singleElement().asString().contains("lock \"a\" was lost (LEASE_ENDED)");
        assertThat(log.at(Level.ERROR)).isEmpty();
    }

    @Test
    void aThreadThatWaitsForItselfIsWarned() throws Exception {
        try (LockHandle held = lock.acquire()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(lock.tryAcquire(Duration.ofMillis(1))).isEmpty();
        }
        assertThat(log.at(Level.WARN)).singleElement().asString().contains("lock \"a\"", "waits for itself");
    }

    @Test
    void aThreadThatWaitsForAnotherIsNotWarned() throws Exception {
        try (LockHandle held = lock.acquireAsync().get()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(lock.tryAcquire(Duration.ofMillis(1))).isEmpty();
        }
        assertThat(log.at(Level.WARN)).isEmpty();
    }

    @Test
    void anAcquireAndItsReleaseAreTraced() throws Exception {
        try (LockHandle held = lock.acquire()) {
            assertThat(held.isHeld()).isTrue();
        }
        assertThat(log.at(Level.TRACE)).hasSize(2).allMatch(line -> line.contains("lock \"a\""));
        assertThat(log.at(Level.INFO)).isEmpty();
    }
}
