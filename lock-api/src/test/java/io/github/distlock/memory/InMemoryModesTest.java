package io.github.distlock.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Which contenders the store in memory admits together, and in which order. */
class InMemoryModesTest {
    private static final Duration LEASE = LockOptions.defaults().lease();

    private final InMemoryStore store = new InMemoryStore();
    private final InMemoryBackend backend = store.connect();

    /** A contender for the lock {@code a}, which counts its signals. */
    private final class Asker implements Signals {
        private final AtomicInteger wakeUps = new AtomicInteger();
        private final AtomicInteger wanted = new AtomicInteger();
        private final InMemoryContender contender;

        Asker(InMemoryBackend client, LockMode mode) {
            LockOwner owner = LockOwner.of("host", 1, "client", "thread");
            LockRequest request = LockRequest.exclusive("a", LEASE, owner).withMode(mode);
            contender = (InMemoryContender) client.contend(request, this);
        }

        Optional<Grant> ask() throws InterruptedException {
            return contender.attempt(deadline()) instanceof Attempt.Granted granted
                    ? Optional.of(granted.grant())
                    : Optional.empty();
        }

        @CanIgnoreReturnValue
        Grant get() throws InterruptedException {
            return ask().orElseThrow();
        }

        @CanIgnoreReturnValue
        Asker queued() throws InterruptedException {
            assertThat(ask()).isEmpty();
            return this;
        }

        boolean isAwake() {
            return wakeUps.getAndSet(0) > 0;
        }

        @Override
        public void wakeUp() {
            wakeUps.incrementAndGet();
        }

        @Override
        public void wanted() {
            wanted.incrementAndGet();
        }

        @Override
        public void suspect() {}

        @Override
        public void gone() {}
    }

    private Deadline deadline() {
        return Deadline.after(Duration.ofSeconds(1), store.clock());
    }

    private Asker asker(LockMode mode) {
        return new Asker(backend, mode);
    }

    @CanIgnoreReturnValue
    private Grant.Release release(Grant grant) throws InterruptedException {
        return grant.release(deadline());
    }

    @Test
    void s9_aWriterOverlapsNoReader() throws Exception {
        Grant first = asker(LockMode.READ).get();
        Grant second = asker(LockMode.READ).get();
        Asker writer = asker(LockMode.WRITE).queued();
        release(first);
        assertThat(writer.isAwake()).isFalse();
        assertThat(release(second)).isEqualTo(Grant.Release.RELEASED);
        assertThat(writer.isAwake()).isTrue();
        Grant writing = writer.get();
        assertThat(writing.fencingBase()).isGreaterThan(second.fencingBase());
        asker(LockMode.READ).queued();
    }

    @Test
    void v10_consecutiveReadersAreServedTogetherAndNoLaterOneOvertakesAWriter() throws Exception {
        Grant writing = asker(LockMode.WRITE).get();
        Asker first = asker(LockMode.READ).queued();
        Asker second = asker(LockMode.READ).queued();
        Asker writer = asker(LockMode.WRITE).queued();
        Asker last = asker(LockMode.READ).queued();

        release(writing);

        assertThat(first.isAwake() && second.isAwake()).isTrue();
        assertThat(writer.isAwake() || last.isAwake()).isFalse();
        second.get();
        last.queued();
        first.get();
    }

    @Test
    void v10_aWithdrawnOrDeadWriterLetsReadersIn() throws Exception {
        asker(LockMode.READ).get();
        Asker writer = asker(LockMode.WRITE).queued();
        Asker second = asker(LockMode.READ).queued();
        writer.contender.withdraw(deadline());
        assertThat(second.isAwake()).isTrue();
        second.get();

        asker(LockMode.WRITE).queued();
        Asker third = asker(LockMode.READ).queued();
        store.advance(LockTable.PLACE_TIMEOUT);
        third.get();
    }

    @Test
    void s9_s11_aDowngradeKeepsTheBaseAndServesReadersButNoWriter() throws Exception {
        Grant writing = asker(LockMode.WRITE).get();
        Asker reader = asker(LockMode.READ).queued();
        Asker writer = asker(LockMode.WRITE).queued();

        Grant reading = writing.downgrade(deadline()).orElseThrow();

        assertThat(reading.fencingBase()).isEqualTo(writing.fencingBase());
        assertThat(writing.downgrade(deadline())).as("repeated").isPresent();
        reader.get();
        writer.queued();
        assertThat(store.connect().inspect("a", deadline()).holders())
                .extracting(LockStatus.Holder::mode)
                .containsExactly(LockMode.READ, LockMode.READ);
        assertThat(release(writing)).as("in either mode").isEqualTo(Grant.Release.RELEASED);
        assertThat(reading.downgrade(deadline())).isEmpty();
    }

    @Test
    void s10_eachRequestForPermitsMustFitItsOwnLimit() throws Exception {
        asker(LockMode.permits(2, 3)).get();
        asker(LockMode.permits(2, 3)).queued();
        asker(LockMode.permits(1, 9)).queued();
        store.advance(LockTable.PLACE_TIMEOUT);
        asker(LockMode.permits(2, 4)).get();
    }

    @Test
    void v10_aSmallRequestNeverOvertakesALargeOne() throws Exception {
        Grant one = asker(LockMode.permits(1, 3)).get();
        asker(LockMode.permits(1, 3)).get();
        Asker large = asker(LockMode.permits(2, 3)).queued();
        Asker small = asker(LockMode.permits(1, 3)).queued();

        release(one);

        assertThat(large.isAwake()).isTrue();
        small.queued();
        large.get();
    }

    @Test
    void s12_aNameHasOneKindWhileAnybodyHoldsOrWaits() throws Exception {
        Grant reading = asker(LockMode.READ).get();
        Asker other = asker(LockMode.permits(1, 1));
        assertThatThrownBy(other::ask)
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("read-write lock")
                .hasMessageContaining("semaphore");
        Asker writer = asker(LockMode.WRITE).queued();
        release(reading);
        assertThatThrownBy(other::ask).isInstanceOf(RequestRefusedException.class);
        writer.contender.withdraw(deadline());
        other.get();
    }

    @Test
    void allHoldersOfOtherClientsLearnThatTheLockIsWanted() throws Exception {
        Asker own = asker(LockMode.READ);
        own.get();
        Asker other = new Asker(store.connect(), LockMode.READ);
        other.get();
        asker(LockMode.WRITE).queued();
        assertThat(own.wanted).hasValue(0);
        assertThat(other.wanted).hasValue(1);
    }

    @Test
    void aForcedReleaseEndsAllHolds() throws Exception {
        asker(LockMode.READ).get();
        asker(LockMode.READ).get();
        Asker writer = asker(LockMode.WRITE).queued();
        assertThat(store.connect().forceRelease("a", OptionalLong.empty(), deadline()))
                .hasSize(2);
        assertThat(writer.isAwake()).isTrue();
        writer.get();
        assertThat(store.size()).isEqualTo(1);
    }
}
