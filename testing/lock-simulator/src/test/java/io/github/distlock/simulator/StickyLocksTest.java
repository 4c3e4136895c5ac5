package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a client must not do with a sticky lock that no thread of its process uses. */
class StickyLocksTest {
    private static final long SECOND = 1_000_000_000L;

    private final Simulation simulation = new Simulation(1, null);
    private final SimulatedProcess process = simulation.process("p1", 1);
    private final List<String> violations = new ArrayList<>();
    private final StickyLocks locks = new StickyLocks(simulation, process, true, violations::add);

    private void after(long nanos) {
        long end = simulation.nanoTime() + nanos;
        simulation.at(end, () -> {});
        simulation.run(end, () -> false);
    }

    private void acquire(Object contender) {
        locks.use("lock");
        locks.granted("lock", contender);
    }

    @Test
    void v11_aLockThatGoesBackInASecondBreaksNothing() {
        acquire(1);
        after(5 * SECOND);
        locks.unused("lock");
        after(SECOND);
        locks.givenBack(1);
        after(5 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v11_aLockThatIsKeptForMoreThanASecondIsSeen() {
        acquire(1);
        locks.unused("lock");
        after(2 * SECOND);

        assertThat(violations).singleElement().asString().contains("for more than a second");
    }

    @Test
    void v11_aLockThatIsUsedAgainMayStay() {
        acquire(1);
        locks.unused("lock");
        after(SECOND / 2);
        locks.use("lock");
        after(5 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v11_aLockThatIsWantedGoesBackAtOnce() {
        acquire(1);
        locks.unused("lock");
        locks.wanted(1);
        after(SECOND / 2);

        assertThat(violations).singleElement().asString().contains("another client wants it");
    }

    @Test
    void v11_aWishCountsAlsoBeforeTheAnswerToTheGrant() {
        locks.wanted(1);
        acquire(1);
        after(SECOND);
        locks.unused("lock");
        after(SECOND / 2);

        assertThat(violations).hasSize(1);
    }

    @Test
    void v11_aProcessThatStandsStillGivesBackLater() {
        acquire(1);
        locks.unused("lock");
        process.pause();
        after(5 * SECOND);
        process.resume();
        after(SECOND / 2);
        locks.givenBack(1);
        after(5 * SECOND);

        assertThat(violations).isEmpty();
    }

    @Test
    void v11_afterTheEndNothingIsLookedAt() {
        acquire(1);
        locks.unused("lock");
        locks.end();
        after(5 * SECOND);

        assertThat(violations).isEmpty();
    }
}
