package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.assertj.core.api.AbstractStringAssert;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is said, and how loudly. */
class LogTest extends EngineTest {
    /** So long that an acquire begins to wait before it is over, even on a busy machine. */
    private static final Duration SHORT = Duration.ofMillis(500);

    private final CapturedLog log = CapturedLog.of(client.name());

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
        expectOne(Level.WARN).contains("renewal of lock \"lock", "failed");
        memory.resume();
        store.advance(Duration.ofSeconds(5));
        Await.until("the end of the outage is logged", () -> log.at(Level.WARN).size() > 1);
        assertThat(log.at(Level.WARN)).hasSize(2).last().asString().contains("answered again");
        assertThat(log.at(Level.ERROR)).isEmpty();
        holds.forEach(LockHandle::close);
    }

    @Test
    void aLossIsAnError() throws Exception {
        LockHandle held = lock.acquire();
        store.lose("a");
        assertThat(held.isHeld()).isFalse();
        expectOne(Level.ERROR).contains("lock \"a\" was lost (GONE)");
    }

    @Test
    void anEndThatWasAskedForIsAWarning() throws Exception {
        LockHandle held = client.lock("a", LockOptions.defaults().fixedLease(Duration.ofSeconds(1)))
                .acquire();
        store.advance(Duration.ofSeconds(2));
        assertThat(held.isHeld()).isFalse();
        expectOne(Level.WARN).contains("lock \"a\" was lost (LEASE_ENDED)");
        assertThat(log.at(Level.ERROR)).isEmpty();
    }

    @Test
    void aDroppedHandleIsAnErrorThatSaysThatItsLockIsReleased() throws Exception {
        LockHandle held = lock.acquire();

        ((Handle) held).hold().dropped();

        expectOne(Level.ERROR).contains("lock \"a\"", "its handle was dropped without being closed", "releasing it");
    }

    @Test
    void aDroppedHandleIsAnErrorThatSaysForHowLongItsLockStaysBusy() throws Exception {
        LockHandle held = client.lock("a", LockOptions.defaults().lockDelay(Duration.ofSeconds(40)))
                .acquire();

        ((Handle) held).hold().dropped();

        expectOne(Level.ERROR).contains("it stays busy for its lock delay of PT40S");
    }

    @Test
    void aThreadThatWaitsForItselfIsWarned() throws Exception {
        try (LockHandle held = lock.acquire()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(lock.tryAcquire(SHORT)).isEmpty();
        }
        expectOne(Level.WARN).contains("lock \"a\"", "waits for itself");
    }

    @Test
    void aWriterThatWaitsToReadIsWarned() throws Exception {
        try (LockHandle held = client.readWriteLock("a").writeLock().acquire()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(client.readWriteLock("a").readLock().tryAcquire(SHORT)).isEmpty();
        }
        expectOne(Level.WARN).contains("lock \"a\"", "waits for itself");
    }

    @Test
    void aThreadThatWaitsForOneMorePermitIsNotWarned() throws Exception {
        DistributedLock permit = client.semaphore("a", 2).permit();
        try (LockHandle held = permit.acquire();
                LockHandle ofOther = other.semaphore("a", 2).permit().acquire()) {
            assertThat(held.isHeld() && ofOther.isHeld()).isTrue();
            assertThat(permit.tryAcquire(SHORT)).isEmpty();
        }
        assertThat(log.at(Level.WARN)).isEmpty();
    }

    @Test
    void aThreadThatWaitsForAnotherIsNotWarned() throws Exception {
        try (LockHandle held = lock.acquireAsync().get()) {
            assertThat(held.isHeld()).isTrue();
            assertThat(lock.tryAcquire(SHORT)).isEmpty();
        }
        assertThat(log.at(Level.WARN)).isEmpty();
    }

    /** Waits for the line, because another thread writes it. */
    private AbstractStringAssert<?> expectOne(Level level) {
        Await.until("a line is logged", () -> !log.at(level).isEmpty());
        return assertThat(log.at(level)).singleElement().asString();
    }
}
