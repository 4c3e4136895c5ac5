package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A hold can be extended as far as the session is proved, and no further. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 90, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ExtensionTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    private static final Duration BRIEF = Duration.ofSeconds(2);
    private static final Duration PROVABLE = Duration.ofSeconds(10);

    private final String base = SharedZooKeeper.freshPath();
    /** With sessions of 20 s. */
    private final LockClient locks = LockClient.create(ZooKeeperBackend.builder(SharedZooKeeper.address())
            .basePath(base)
            .sessionTimeout(Duration.ofSeconds(20))
            .tick(SharedZooKeeper.TICK)
            .build());

    @AfterEach
    void close() {
        locks.close();
    }

    private LockHandle acquire(Duration fixedLease) throws InterruptedException {
        return locks.lock("lock", LockOptions.defaults().fixedLease(fixedLease)).acquire();
    }

    @Test
    void s14_theEndOfAFixedLeaseMovesAsFarAsTheSessionIsProved() throws Exception {
        LockHandle held = acquire(BRIEF);

        held.extend(PROVABLE);

        assertThat(held.remaining()).isBetween(BRIEF, PROVABLE.plusMillis(2)); // rounded up for the wall clock
        Waiting.await(
                "the former end has passed", PATIENCE, () -> held.remaining().compareTo(PROVABLE.minus(BRIEF)) < 0);
        assertThat(held.isHeld()).isTrue();
        held.close();
    }

    @Test
    void s14_whatNoSessionCanProveIsRefused() throws Exception {
        LockHandle held = acquire(BRIEF);

        assertThatThrownBy(() -> held.extend(Duration.ofMinutes(1)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContainingAll("time must be at most PT18.", "on this store", "PT1M");
        assertThatThrownBy(() -> held.extend(Duration.ofMillis(18_980)))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll(
                        "not extended by PT18.98S", "the store has confirmed it for no longer than PT1");

        assertThat(held.remaining()).isLessThanOrEqualTo(BRIEF);
    }

    @Test
    void s2_aMinimumValidityThatNoSessionCanProveIsRefused() {
        LockOptions options =
                LockOptions.defaults().renewedLease(Duration.ofMinutes(1)).minimumValidity(Duration.ofSeconds(40));

        assertThatThrownBy(() -> locks.lock("lock", options).acquire())
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("minimumValidity must be at most PT18.", "on this store", "PT40S");

        assertThat(SharedZooKeeper.children(base + "/lock")).isEmpty();
    }

    @Test
    void s14_aRenewedHoldIsExtendedByAHeartbeat() throws Exception {
        LockHandle held = locks.lock("lock").acquire();

        held.extend(PROVABLE);
        held.ensure(PROVABLE);

        assertThat(held.remaining()).isGreaterThan(BRIEF);
        SharedZooKeeper.deleteFirst(base + "/lock");
        assertThatThrownBy(() -> held.extend(PROVABLE)).isInstanceOf(LockLostException.class);
    }
}
