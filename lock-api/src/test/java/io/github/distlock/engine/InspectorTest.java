package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockNames;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
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

    @Test
    void api_theTextOfAStatusShowsTheFirstWaiters() {
        LockStatus.Waiter waiter =
                LockStatus.Waiter.of(LockOwner.of("host", 7, "client", "thread"), LockMode.EXCLUSIVE, Instant.EPOCH);

        LockStatus status = LockStatus.free("a").withWaiters(Collections.nCopies(12, waiter));

        assertThat(status.toString().split("since", -1)).hasSize(11);
        assertThat(status.toString()).endsWith("] and 2 more");
    }

    @Test
    void api_aListGoesOnUntilTheLastPageOrItsLimit() throws Exception {
        List<LockHandle> held = new ArrayList<>();
        for (int i = 0; i < 2_500; i++) {
            held.add(client.lock("many/" + i).acquire());
        }
        held.add(lock.acquire());

        assertThat(inspector.list("many/", 100_000)).hasSize(2_500).doesNotHaveDuplicates();
        assertThat(inspector.list("", 100_000)).hasSize(2_501).contains("a");
        assertThat(inspector.list("", 1_700)).hasSize(1_700).doesNotHaveDuplicates();
        assertThat(inspector.list("many/2499", 1)).containsExactly("many/2499");
        // The collector must not find that the handles were dropped.
        held.forEach(LockHandle::close);
    }

    @Test
    void api_aNameOnTwoPagesIsListedOnce() {
        backend.listing = (prefix, position) ->
                position.isEmpty() ? LockNames.page(List.of("b", "a"), "second") : LockNames.last(List.of("a", "c"));

        assertThat(client.inspector().list("", 10)).containsExactly("b", "a", "c");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, -1, 100_001})
    void api_aLimitOutOfBoundsIsRefusedBeforeAnythingIsSent(int limit) {
        backend.listing = (prefix, position) -> {
            throw new AssertionError("sent");
        };

        assertThatThrownBy(() -> client.inspector().list("", limit))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("limit");
    }

    @Test
    void api_aPrefixThatCannotBeginANameIsRefused() {
        for (String prefix : List.of("x".repeat(1_025), "\uD83D")) {
            assertThatThrownBy(() -> inspector.list(prefix, 1))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("prefix");
        }
    }

    @Test
    void api_theReasonWhyABackendCannotListIsPassedOn() {
        backend.listing = (prefix, position) -> {
            throw new UnsupportedOperationException("for a reason");
        };

        assertThatThrownBy(() -> client.inspector().list("", 1))
                .isInstanceOf(UnsupportedOperationException.class)
                .hasMessage("for a reason");
    }

    @Test
    void v5_aListAfterTheEndOfItsClientIsRefused() {
        client.close();

        assertThatThrownBy(() -> client.inspector().list("", 1)).isInstanceOf(IllegalStateException.class);
    }
}
