package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.LockStatus;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which hold a token names, and what people read of a lock. */
class InspectorTest extends EngineTest {
    private final LockInspector inspector = other.inspector();

    @Test
    void api_theTokenOfALocalHandoffNamesItsGrant() throws Exception {
        DistributedLock patient = open(settings().localHandoff(64, LONG)).lock("a");
        LockHandle first = patient.acquire();
        CompletableFuture<LockHandle> waiter = patient.acquireAsync();
        first.release();
        LockHandle second = get(waiter);
        assertThat(second.fencingToken()).isEqualTo(first.fencingToken() + 1);

        assertThat(inspector.forceRelease("a", second.fencingToken()))
                .map(LockStatus.Holder::fencingToken)
                .hasValue(first.fencingToken());

        assertThat(second.isHeld()).isFalse();
    }

    @Test
    void api_theTokenOfAnotherLockNamesNoHold() throws Exception {
        LockHandle held = lock.acquire();
        LockHandle another = client.lock("b").acquire();

        assertThat(inspector.forceRelease("a", another.fencingToken())).isEmpty();

        assertThat(held.isHeld()).isTrue();
        assertThat(another.isHeld()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {256, Long.MAX_VALUE})
    void api_theLeastAndTheGreatestTokenAreTaken(long token) {
        assertThat(inspector.forceRelease("a", token)).isEmpty();
    }

    @Test
    void api_theTextOfAStatusShowsHoldersAndWaitersWithTheirModes() throws Exception {
        assertThat(inspector.inspect("a")).hasToString("lock \"a\": free, no waiters");
        LockHandle held = client.semaphore("a", 3).permits(2).acquire();
        startWaiting(client.semaphore("a", 3).permits(3)::acquire);
        awaitQueued(1);

        assertThat(inspector.inspect("a").toString())
                .containsPattern("held by .*, 2 of 3 permits, since .*, token \\d+")
                .containsPattern("waiters .*, 3 of 3 permits, since ");
        // The collector must not find that the handle was dropped.
        held.close();
    }
}
