package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLoss;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** The ends of a hold that its holder brings about. */
class ReleaseTest extends EngineTest {

    @Test
    void s8_aReleasedHoldStaysReleased() throws Exception {
        LockHandle held = lock.acquire();
        List<LockLoss> losses = losses(held);

        assertThat(held.release()).isEqualTo(Release.RELEASED);
        held.close();
        store.advance(LEASE.multipliedBy(2));

        assertThat(held.state()).isEqualTo(State.RELEASED);
        assertThat(held.isHeld()).isFalse();
        assertThat(held.remaining()).isZero();
        assertThatThrownBy(held::ensureHeld).isExactlyInstanceOf(IllegalStateException.class);
        assertThat(losses).isEmpty();
        expectNothingLeft();
    }

    @Test
    void api_closingAgainDoesNothing() throws Exception {
        LockHandle held = lock.acquire();
        held.close();
        LockHandle next = other.lock("a").acquire();

        held.close();

        assertThat(held.release()).isEqualTo(Release.RELEASED);
        assertThat(next.release()).isEqualTo(Release.RELEASED);
    }

    @Test
    void api_manyThreadsMayReleaseAtOnce() throws Exception {
        LockHandle held = lock.acquire();

        List<Task<Release>> releases = List.of(start(held::release), start(held::release), start(held::release));

        assertThat(releases).allSatisfy(release -> assertThat(get(release)).isNotEqualTo(Release.LOST));
        assertThat(releases).anySatisfy(release -> assertThat(get(release)).isEqualTo(Release.RELEASED));
        expectNothingLeft();
    }

    @Test
    void api_anAsynchronousReleaseFreesTheLock() throws Exception {
        LockHandle held = lock.acquire();

        CompletableFuture<Release> released = held.releaseAsync();

        assertThat(held.state()).isEqualTo(State.RELEASED);
        assertThat(get(released)).isEqualTo(Release.RELEASED);
        expectNothingLeft();
    }

    @Test
    void api_anAsynchronousReleaseOfAHoldThatHasEndedCompletes() throws Exception {
        LockHandle released = lock.acquire();
        released.close();
        LockHandle lost = lock.acquire();
        store.lose("a");

        assertThat(get(released.releaseAsync())).isEqualTo(Release.RELEASED);
        assertThat(get(lost.releaseAsync())).isEqualTo(Release.LOST);
    }
}
