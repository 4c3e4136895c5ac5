package io.github.distlock.tests.waiting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class StarvationTest {
    private static final Duration SOME_TIME = Duration.ofMillis(50);

    @TempDir
    private Path directory;

    @Test
    void aMachineOnWhichProcessesWaitForACpuIsStarved() throws IOException {
        Starvation starvation = Starvation.fromNow(pressure(1_000_000));

        Waiting.letPass(SOME_TIME);
        pressure(61_000_000);

        String seen = starvation.seen().orElseThrow();
        assertTrue(seen.matches("processes waited for a CPU in \\d+ % of \\d+ ms|this JVM stood still .*"), seen);
    }

    @Test
    void aMachineThatDoesNotCountPressureIsNotStarved() {
        Starvation starvation = Starvation.fromNow(directory.resolve("missing"));

        assertEquals(Optional.empty(), starvation.seen().filter(reason -> reason.contains("CPU")));
    }

    @Test
    void aMachineOnWhichProcessesWaitForAMomentIsNotStarved() throws IOException {
        Starvation starvation = Starvation.fromNow(pressure(1_000_000));

        Waiting.letPass(SOME_TIME);
        pressure(1_001_000);

        assertEquals(Optional.empty(), starvation.seen().filter(reason -> reason.contains("CPU")));
    }

    /** Writes a file in the format of {@code /proc/pressure/cpu}. */
    private Path pressure(long micros) throws IOException {
        return Files.writeString(
                directory.resolve("cpu"),
                "some avg10=15.06 avg60=30.83 avg300=49.44 total=" + micros
                        + "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }
}
