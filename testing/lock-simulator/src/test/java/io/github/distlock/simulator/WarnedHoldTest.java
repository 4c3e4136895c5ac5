package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockHandle;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class WarnedHoldTest {
    private static final long SECOND = 1_000_000_000;
    private static final Duration LEAST = Duration.ofSeconds(10);
    private static final Duration MORE = Duration.ofSeconds(20);
    private static final Duration LESS = Duration.ofSeconds(5);
    private static final String CALLBACK = "distlock-p-callback";

    private final List<String> violations = new ArrayList<>();
    private final Simulation simulation = new Simulation(1, null);
    private final SimulatedProcess process = simulation.process("p", 1);
    private boolean isHeld = true;
    private Duration left = MORE;
    private final LockHandle held = (LockHandle) Proxy.newProxyInstance(
            LockHandle.class.getClassLoader(),
            new Class<?>[] {LockHandle.class},
            (proxy, method, arguments) -> method.getName().equals("isHeld") ? isHeld : left);
    private final WarnedHold warned = new WarnedHold(simulation, process, held, LEAST, violations::add);

    private void lookWith(Duration newLeft) {
        left = newLeft;
        warned.look();
        long end = simulation.nanoTime() + SECOND;
        simulation.at(end, () -> {});
        simulation.run(end, () -> false);
        warned.look();
    }

    @Test
    void api_aWarningForEachFallBreaksNothing() {
        lookWith(MORE);
        warned.warn(CALLBACK);
        lookWith(LESS);
        lookWith(MORE);
        warned.warn(CALLBACK);
        lookWith(LESS);

        assertThat(violations).isEmpty();
    }

    @Test
    void api_aSecondFallWithoutAWarningIsSeen() {
        lookWith(MORE);
        warned.warn(CALLBACK);
        lookWith(LESS);
        lookWith(MORE);
        lookWith(LESS);

        assertThat(violations).singleElement().asString().contains("no warning");
    }

    @Test
    void api_anEndedHoldNeedsNoWarning() {
        lookWith(MORE);
        isHeld = false;
        lookWith(LESS);

        assertThat(violations).isEmpty();
    }

    @Test
    void api_aWarningOnAnotherThreadIsSeen() {
        warned.warn("distlock-p-timer");

        assertThat(violations).singleElement().asString().contains("distlock-p-timer");
    }
}
