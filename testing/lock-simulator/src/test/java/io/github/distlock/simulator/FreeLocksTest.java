package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.LockMode;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FreeLocksTest {
    private static final long SECOND = 1_000_000_000L;

    private final List<String> violations = new ArrayList<>();
    private final FreeLocks locks = new FreeLocks(SECOND, 2 * SECOND, violations::add);

    private void waits(long user, LockMode mode, long at) {
        locks.waits("user " + user, user, user, "lock", mode, at);
    }

    private void granted(long user, LockMode mode, long at) {
        locks.granted("user " + user, user, user, "lock", mode, at);
    }

    private void released(long user, long at) {
        locks.released(user, "lock", at);
    }

    private void look(long at) {
        locks.disturbed(at, 0);
    }

    @Test
    void v2_aWaiterDoesNotWaitForALockThatNobodyHolds() {
        granted(1, LockMode.EXCLUSIVE, 0);
        waits(2, LockMode.EXCLUSIVE, 1);
        released(1, 5 * SECOND);

        look(6 * SECOND);
        assertThat(violations).isEmpty();
        look(8 * SECOND);
        assertThat(violations).hasSize(1).first().asString().startsWith("user 2 waits");
    }

    @Test
    void v2_aWaiterMayWaitForAHolder() {
        granted(1, LockMode.EXCLUSIVE, 0);
        waits(2, LockMode.EXCLUSIVE, 1);

        look(100 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v2_aWaiterMayWaitAfterAFault() {
        waits(1, LockMode.EXCLUSIVE, 0);
        locks.disturbed(SECOND, 10 * SECOND);

        look(11 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v2_nobodyWaitsForAProcessThatHasCrashed() {
        granted(1, LockMode.EXCLUSIVE, 0);
        waits(2, LockMode.EXCLUSIVE, 1);

        locks.crashed(1, SECOND);
        locks.crashed(2, SECOND);
        look(10 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v2_aLockThatIsKeptIsNotFree() {
        waits(1, LockMode.EXCLUSIVE, 0);

        locks.exempt("lock");
        look(10 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v10_aReaderDoesNotWaitForReaders() {
        granted(1, LockMode.READ, 0);
        waits(2, LockMode.READ, 1);

        look(2 * SECOND);

        assertThat(violations).hasSize(1);
    }

    @Test
    void v10_aReaderMayWaitBehindAWriterThatMayBeBeforeIt() {
        granted(1, LockMode.READ, 0);
        waits(2, LockMode.READ, 1);
        waits(3, LockMode.WRITE, 2);

        look(2 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v10_aReaderDoesNotWaitForAWriterThatCameLater() {
        granted(1, LockMode.READ, 0);
        waits(2, LockMode.READ, 1);
        waits(3, LockMode.WRITE, SECOND / 2);

        look(2 * SECOND);

        assertThat(violations).hasSize(1);
    }

    @Test
    void v10_aReaderMayWaitBehindAnotherThreadOfItsProcess() {
        granted(1, LockMode.READ, 0);
        waits(2, LockMode.WRITE, 1);
        locks.waits("another of process 2", 2, 20, "lock", LockMode.READ, 2);
        locks.returned(2, "lock", 3);
        waits(3, LockMode.WRITE, SECOND / 2);

        look(3 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v10_aWaiterDoesNotWaitForPermitsThatSufficeForAll() {
        granted(1, LockMode.permits(1, 3), 0);
        waits(2, LockMode.permits(1, 3), 1);
        waits(3, LockMode.permits(2, 3), 2);

        look(2 * SECOND);

        assertThat(violations).hasSize(2);
    }

    @Test
    void v10_aWaiterMayWaitBehindOneThatWantsMorePermits() {
        granted(1, LockMode.permits(1, 3), 0);
        waits(2, LockMode.permits(3, 3), 1);
        waits(3, LockMode.permits(1, 3), 2);

        look(2 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v10_aWaiterMayWaitBehindAnEntryThatAnotherThreadTakesOver() {
        granted(1, LockMode.permits(1, 2), 0);
        waits(2, LockMode.permits(2, 2), 1);
        waits(3, LockMode.permits(1, 2), 2);
        locks.waits("another of process 2", 2, 20, "lock", LockMode.permits(2, 2), SECOND / 2);
        locks.returned(2, "lock", SECOND / 2 + 1);

        look(3 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v10_aWaiterMayWaitWhileOthersGetPermits() {
        granted(1, LockMode.permits(1, 3), 0);
        waits(2, LockMode.permits(1, 3), 1);
        waits(3, LockMode.permits(1, 3), 2);
        granted(3, LockMode.permits(1, 3), SECOND * 3 / 4);
        released(3, SECOND);

        look(SECOND * 3 / 2);

        assertThat(violations).isEmpty();
    }
}
