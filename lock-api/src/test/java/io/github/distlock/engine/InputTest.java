package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockHandle;
import io.github.distlock.LockInspector;
import io.github.distlock.LockOptions;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a caller may not ask for is refused by the parameter's name, before anything is sent. */
class InputTest extends EngineTest {
    private static final LockOptions OPTIONS = LockOptions.defaults();
    /** {@code Long.MAX_VALUE} seconds. */
    private static final String FOREVER = "PT2562047788015215H30M7S";

    @Test
    @NullUnmarked
    void api_nullIsRefused() throws Exception {
        LockClientBuilder settings = settings();
        LockInspector inspector = client.inspector();

        refusesNull("name", () -> client.lock(null));
        refusesNull("name", () -> client.lock(null, OPTIONS));
        refusesNull("options", () -> client.lock("a", null));
        refusesNull("name", () -> client.readWriteLock(null));
        refusesNull("options", () -> client.readWriteLock("a", null));
        refusesNull("writing", () -> client.readWriteLock("a").downgrade(null));
        refusesNull("name", () -> client.semaphore(null, 1));
        refusesNull("options", () -> client.semaphore("a", 1, null));
        refusesNull("maxWait", () -> lock.tryAcquire(null));
        refusesNull("maxWait", () -> lock.tryAcquireAsync(null));
        refusesNull("maxWait", () -> lock.tryRunLocked(null, held -> {}));
        refusesNull("maxWait", () -> lock.tryCallLocked(null, held -> 42));
        refusesNull("action", () -> lock.runLocked(null));
        refusesNull("action", () -> lock.callLocked(null));
        refusesNull("action", () -> lock.tryRunLocked(Duration.ZERO, null));
        refusesNull("action", () -> lock.tryCallLocked(Duration.ZERO, null));
        refusesNull("name", () -> inspector.inspect(null));
        refusesNull("name", () -> inspector.forceRelease(null));
        refusesNull("name", () -> inspector.forceRelease(null, 256));
        refusesNull("name", () -> inspector.requestRelease(null));
        refusesNull("backend", () -> LockClient.create(null));
        refusesNull("name", () -> settings.name(null));
        refusesNull("options", () -> settings.defaultOptions(null));
        refusesNull("listener", () -> settings.listener(null));
        refusesNull("executor", () -> settings.callbackExecutor(null));
        refusesNull("requestTimeout", () -> settings.requestTimeout(null));
        refusesNull("outageTimeout", () -> settings.outageTimeout(null));
        refusesNull("shutdownTimeout", () -> settings.shutdownTimeout(null));
        refusesNull("guard", () -> settings.clockGuard(null));
        refusesNull("time", () -> settings.localHandoff(1, null));
        refusesNull("lease", () -> OPTIONS.renewedLease(null));
        refusesNull("lease", () -> OPTIONS.fixedLease(null));
        refusesNull("time", () -> OPTIONS.maximumHold(null));
        assertThat(backend.requests).hasValue(0);

        LockHandle held = lock.acquire();
        refusesNull("listener", () -> held.onLost(null));
        refusesNull("listener", () -> held.onReleaseRequested(null));
        assertThat(held.isHeld()).isTrue();
    }

    private static void refusesNull(String parameter, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(NullPointerException.class).hasMessageContaining(parameter);
    }

    private static void refuses(String parameter, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(IllegalArgumentException.class).hasMessageContaining(parameter);
    }

    @Test
    void api_namesOutOfBoundsAreRefused() {
        LockInspector inspector = client.inspector();
        List<String> blank = List.of("", " ", "\t\n", "\u2003");
        List<String> longerThan1024Bytes = List.of("x".repeat(1025), "\u00e9".repeat(513), "\uD83D\uDD12".repeat(257));
        List<String> unpairedSurrogates = List.of("\uD83D", "a\uDD12b", "\uDD12\uD83D");

        assertThat(List.of(blank, longerThan1024Bytes, unpairedSurrogates))
                .flatMap(names -> names)
                .allSatisfy(name -> {
                    refuses("name", () -> client.lock(name));
                    refuses("name", () -> client.lock(name, OPTIONS));
                    refuses("name", () -> client.readWriteLock(name));
                    refuses("name", () -> client.semaphore(name, 1));
                    refuses("name", () -> inspector.inspect(name));
                    refuses("name", () -> inspector.forceRelease(name));
                    refuses("name", () -> inspector.forceRelease(name, 256));
                    refuses("name", () -> inspector.requestRelease(name));
                });
        assertThat(backend.requests).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(longs = {Long.MIN_VALUE, -1, 0, 255})
    void api_whatIsNoTokenIsRefused(long token) {
        LockInspector inspector = client.inspector();

        refuses("expectedToken", () -> inspector.forceRelease("a", token));
        assertThat(backend.requests).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT-1S", "PT0S", "PT0.000999S", "PT0.099999999S", "PT24H0.000000001S", FOREVER})
    void api_leasesOutOfBoundsAreRefused(Duration lease) {
        refuses("lease", () -> client.lock("a", OPTIONS.renewedLease(lease)));
        refuses("lease", () -> client.lock("a", OPTIONS.fixedLease(lease)));
        refuses(
                "lease",
                () -> settings().defaultOptions(OPTIONS.renewedLease(lease)).build());
        refuses(
                "lease",
                () -> settings().defaultOptions(OPTIONS.fixedLease(lease)).build());
        assertThat(backend.requests).hasValue(0);
    }

    @Test
    void api_limitsOutOfBoundsAreRefused() {
        refuses("limit", () -> client.semaphore("a", 0));
        refuses("limit", () -> client.semaphore("a", -1, OPTIONS));
        assertThat(client.semaphore("a", Integer.MAX_VALUE).permits(Integer.MAX_VALUE))
                .isNotNull();
        assertThat(backend.requests).hasValue(0);
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0.1S", "PT24H"})
    void api_theShortestAndTheLongestLeaseAreTaken(Duration lease) {
        assertThat(client.lock("a", OPTIONS.renewedLease(lease)).options().lease())
                .isEqualTo(lease);
        assertThat(client.lock("a", OPTIONS.fixedLease(lease)).options().lease())
                .isEqualTo(lease);
    }

    @Test
    void api_maximumHoldsOutOfBoundsAreRefused() throws Exception {
        refuses("time", () -> OPTIONS.maximumHold(Duration.ZERO));
        refuses("time", () -> OPTIONS.maximumHold(Duration.ofSeconds(-1)));

        LockOptions longest = OPTIONS.maximumHold(Duration.parse(FOREVER));
        LockHandle held = client.lock("a", longest).acquire();
        store.advance(LEASE.multipliedBy(2));
        assertThat(held.isHeld()).isTrue();
    }

    @Test
    void api_whatTheStoreCannotDoIsRefused() {
        LockInspector inspector = client.inspector();
        backend.capabilities = Set.of();

        refuses("fair", () -> client.lock("a", OPTIONS.fair()));
        refuses("fair", () -> settings().defaultOptions(OPTIONS.fair()).build());
        refuses("READ_WRITE", () -> client.readWriteLock("a"));
        refuses("PERMITS", () -> client.semaphore("a", 1, OPTIONS));
        assertThatThrownBy(client::inspector).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> inspector.forceRelease("a")).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> inspector.forceRelease("a", 256)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> inspector.requestRelease("a")).isInstanceOf(UnsupportedOperationException.class);
        assertThat(backend.requests).hasValue(0);
    }
}
