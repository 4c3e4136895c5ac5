package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import io.github.distlock.LockLostException;
import io.github.distlock.LockStatus;
import io.github.distlock.LossReason;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** A write hold becomes a read hold, with the same token and without a gap. */
class DowngradeTest extends EngineTest {
    private final LockClient patient = open(settings().localHandoff(64, LONG));
    private final DistributedReadWriteLock shared = patient.readWriteLock("a");

    @Test
    void s9_s11_aDowngradeKeepsTheTokenAndLetsNoWriterIn() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        CompletableFuture<LockHandle> writer =
                other.readWriteLock("a").writeLock().acquireAsync();
        awaitQueued(1);

        LockHandle reading = shared.downgrade(writing);

        assertThat(reading.fencingToken()).isEqualTo(writing.fencingToken());
        assertThat(reading.state()).isEqualTo(State.HELD);
        assertThat(writing.state()).isEqualTo(State.RELEASED);
        assertThat(writing.release()).isEqualTo(Release.RELEASED);
        writing.close();
        assertThat(reading.isHeld()).isTrue();
        assertThat(writer).isNotDone();
        assertThat(other.inspector().inspect("a").holders())
                .extracting(LockStatus.Holder::mode)
                .containsExactly(LockMode.READ);

        reading.close();
        assertThat(get(writer).fencingToken()).isGreaterThan(reading.fencingToken());
        get(writer).close();
        expectNothingLeft();
    }

    @Test
    void s11_aHoldThatWasHandedOffKeepsItsToken() throws Exception {
        LockHandle first = shared.writeLock().acquire();
        CompletableFuture<LockHandle> second = shared.writeLock().acquireAsync();
        first.close();

        LockHandle reading = shared.downgrade(get(second));

        assertThat(reading.fencingToken()).isEqualTo(first.fencingToken() + 1);
        LockHandle joined = shared.readLock().acquire();
        assertThat(joined.fencingToken()).isEqualTo(reading.fencingToken());
        reading.close();
        joined.close();
        expectNothingLeft();
    }

    @Test
    void v10_waitingReadersOfTheClientAreServed() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        CompletableFuture<LockHandle> reader = shared.readLock().acquireAsync();
        awaitQueued(1);

        LockHandle reading = shared.downgrade(writing);

        assertThat(get(reader).isHeld() && reading.isHeld()).isTrue();
        reading.close();
        assertThat(get(reader).isHeld()).isTrue();
        get(reader).close();
        expectNothingLeft();
    }

    @Test
    void v10_noReaderJoinsIfAnotherClientWaited() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        CompletableFuture<LockHandle> writer =
                other.readWriteLock("a").writeLock().acquireAsync();
        event("wanted");

        LockHandle reading = shared.downgrade(writing);

        assertThat(shared.readLock().tryAcquire()).isEmpty();
        reading.close();
        get(writer).close();
    }

    @Test
    void v8_theReadHoldIsRenewed() throws Exception {
        LockHandle reading = shared.downgrade(shared.writeLock().acquire());

        store.advance(LEASE.multipliedBy(3));

        assertThat(reading.state()).isEqualTo(State.HELD);
        reading.close();
    }

    @Test
    void s6_theStoresHintsReachTheReadHold() throws Exception {
        LockHandle reading = shared.downgrade(shared.writeLock().acquire());
        List<LockLoss> losses = losses(reading);

        store.lose("a");

        assertThat(reading.isHeld()).as("before the next renewal").isFalse();
        expectLoss(LossReason.GONE, losses);
    }

    @Test
    void v10_writersOfTheClientAskAgainAfterADowngrade() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        CompletableFuture<LockHandle> writer = shared.writeLock().acquireAsync();

        LockHandle reading = shared.downgrade(writing);

        awaitQueued(1);
        reading.close();
        get(writer).close();
        expectNothingLeft();
    }

    @Test
    void s9_onlyWriteHoldsOfThisClientAndNameAreDowngraded() throws Exception {
        LockHandle writing = shared.writeLock().reentrant().acquire();
        LockHandle foreign = other.readWriteLock("b").writeLock().acquire();
        LockHandle ofOtherName = patient.readWriteLock("c").writeLock().acquire();
        LockHandle reading = patient.readWriteLock("d").readLock().acquire();
        LockHandle plain = patient.lock("e").acquire();
        LockHandle joint = patient.allOf(List.of("f", "g")).acquire();

        for (LockHandle wrong : List.of(writing, ofOtherName, reading, plain, joint)) {
            assertThatThrownBy(() -> shared.downgrade(wrong))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("writing")
                    .hasMessageContaining("\"a\"");
            assertThat(wrong.isHeld()).isTrue();
        }
        assertThatThrownBy(() -> patient.readWriteLock("b").downgrade(foreign))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> patient.readWriteLock("d").downgrade(reading))
                .isInstanceOf(IllegalArgumentException.class);
        assertThat(foreign.isHeld()).isTrue();
    }

    @Test
    void s8_aHoldThatHasEndedIsNotDowngraded() throws Exception {
        LockHandle released = shared.writeLock().acquire();
        released.close();
        assertThatThrownBy(() -> shared.downgrade(released))
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("released");

        LockHandle lost = shared.writeLock().acquire();
        store.lose("a");
        assertThatThrownBy(() -> shared.downgrade(lost)).isInstanceOf(LockLostException.class);
        assertThat(lost.state()).isEqualTo(State.LOST);
        expectNothingLeft();
    }

    @Test
    void s8_aHoldThatTheStoreNoLongerHasIsLost() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        List<LockLoss> losses = losses(writing);
        store.delete("a");

        assertThatThrownBy(() -> shared.downgrade(writing))
                .isInstanceOfSatisfying(
                        LockLostException.class,
                        e -> assertThat(e.loss().reason()).isEqualTo(LossReason.GONE));

        expectLoss(LossReason.GONE, losses);
        assertThat(writing.release()).isEqualTo(Release.LOST);
        expectNothingLeft();
    }

    @Test
    void s7_aDowngradeWithoutAnAnswerLeavesNothing() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        memory.pause();
        Task<LockHandle> downgrade = start(() -> shared.downgrade(writing));
        Await.until("the hold has ended", () -> writing.state() == State.RELEASED);
        store.advance(Duration.ofSeconds(1));

        assertFails(downgrade).isInstanceOf(LockException.class).hasMessageContaining("not downgraded");

        assertThat(writing.state()).isEqualTo(State.RELEASED);
        assertThat(event("released").detail()).isEqualTo(Release.PENDING);
        memory.resume();
        store.advance(Duration.ofSeconds(1));
        expectNothingLeft();
    }

    @Test
    void v7_anInterruptDoesNotStopADowngrade() throws Exception {
        LockHandle writing = shared.writeLock().acquire();
        Thread.currentThread().interrupt();

        LockHandle reading = shared.downgrade(writing);

        assertThat(Thread.interrupted()).isTrue();
        assertThat(reading.isHeld()).isTrue();
        reading.close();
    }

    @Test
    void v5_closingTheClientEndsTheReadHold() throws Exception {
        LockHandle reading = shared.downgrade(shared.writeLock().acquire());

        patient.close();

        assertThat(reading.state()).isEqualTo(State.LOST);
        expectNothingLeft();
    }
}
