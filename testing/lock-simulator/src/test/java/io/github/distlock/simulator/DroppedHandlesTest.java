package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LossReason;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class DroppedHandlesTest {
    private static final long SECOND = 1_000_000_000;
    private static final LockEvent EVENT = new LockEvent("lock", 5, Duration.ZERO);

    private final List<String> violations = new ArrayList<>();
    private final Simulation simulation = new Simulation(1, null);
    private final SimulatedProcess process = simulation.process("p", 1);
    private final DroppedHandles handles = new DroppedHandles(simulation, process, true, violations::add);

    private void after(long nanos) {
        long end = simulation.nanoTime() + nanos;
        simulation.at(end, () -> {});
        simulation.run(end, () -> false);
    }

    @Test
    void v9_aReportAndAReleaseInTimeBreakNothing() {
        handles.collected("lock", 5);
        after(SECOND);
        handles.leaked(EVENT);
        after(SECOND);
        handles.released(EVENT, Release.RELEASED);
        after(10 * SECOND);
        handles.end();

        assertThat(violations).isEmpty();
    }

    @Test
    void v9_aSecondReportIsSeen() {
        handles.collected("lock", 5);
        handles.leaked(EVENT);
        handles.leaked(EVENT);

        assertThat(violations).singleElement().asString().contains("no handle was collected");
    }

    @Test
    void v9_aLateReportIsSeen() {
        handles.collected("lock", 5);
        after(2 * SECOND);
        handles.leaked(EVENT);

        assertThat(violations)
                .singleElement()
                .asString()
                .contains("reported as dropped")
                .contains("too late");
    }

    @Test
    void v9_aMissingReportIsSeen() {
        handles.collected("lock", 5);
        after(2 * SECOND);
        handles.end();

        assertThat(violations).singleElement().asString().contains("is not reported");
    }

    @Test
    void v9_aMissingReleaseIsSeen() {
        handles.collected("lock", 5);
        handles.leaked(EVENT);
        after(3 * SECOND);
        handles.end();

        assertThat(violations).singleElement().asString().contains("is not released");
    }

    @Test
    void v9_aHoldThatWasLostNeedsNoReport() {
        handles.lost(EVENT, LossReason.EXPIRED);
        handles.collected("lock", 5);
        after(2 * SECOND);
        handles.end();

        assertThat(violations).isEmpty();
    }

    @Test
    void v9_aReportMayCrossThatOfALoss() {
        handles.collected("lock", 5);
        handles.lost(EVENT, LossReason.EXPIRED);
        handles.leaked(EVENT);
        after(10 * SECOND);
        handles.end();

        assertThat(violations).isEmpty();
    }

    @Test
    void v9_aProcessThatStandsStillReportsLater() {
        handles.collected("lock", 5);
        process.pause();
        after(2 * SECOND);
        process.resume();
        after(SECOND);
        handles.leaked(EVENT);

        assertThat(violations).isEmpty();
    }

    @Test
    void v9_afterACrashNothingIsReported() {
        handles.collected("lock", 5);
        handles.end();
        after(2 * SECOND);
        handles.end();

        assertThat(violations).isEmpty();
    }
}
