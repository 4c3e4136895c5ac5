package io.github.distlock.tests.waiting;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PressureTest {
    private static final long SECOND = Duration.ofSeconds(1).toNanos();

    @TempDir
    private Path directory;

    @Test
    void aMachineOnWhichProcessesWaitForACpuIsStarved() {
        Pressure cpu = Pressure.of(directory).get(0);
        cpu.add(0, 1_000_000);
        cpu.add(SECOND, 1_800_000);

        assertEquals(Optional.of("processes waited for a CPU in 800 of 1000 ms"), cpu.since(0));
    }

    @Test
    void aSecondOfALongTestIsEnough() {
        Pressure cpu = Pressure.of(directory).get(0);
        for (int second = 0; second < 60; second++) {
            cpu.add(second * SECOND, second < 30 ? 0 : 900_000);
        }

        assertEquals(Optional.of("processes waited for a CPU in 900 of 1000 ms"), cpu.since(0));
    }

    @Test
    void aMachineOnWhichProcessesWaitForMomentsIsNotStarved() {
        Pressure cpu = Pressure.of(directory).get(0);
        for (int second = 0; second < 60; second++) {
            cpu.add(second * SECOND, second * 700_000L);
        }

        assertEquals(Optional.empty(), cpu.since(0));
    }

    @Test
    void whatWasBeforeDoesNotCount() {
        Pressure cpu = Pressure.of(directory).get(0);
        cpu.add(0, 0);
        cpu.add(SECOND, 900_000);
        cpu.add(2 * SECOND, 900_000);

        assertEquals(Optional.empty(), cpu.since(SECOND));
    }

    @Test
    void theCountersOfLinuxAreRead() throws IOException {
        Pressure disk = Pressure.of(directory).get(1);
        long begin = System.nanoTime();
        write("io", 1_000_000);
        disk.read();
        write("io", 61_000_000);
        disk.read();

        String seen = disk.since(begin).orElseThrow();
        assertEquals("processes waited for a disk in 60000 of ", seen.replaceAll("\\d+ ms$", ""));
    }

    @Test
    void aMachineThatDoesNotCountPressureIsNotStarved() {
        Pressure cpu = Pressure.of(directory).get(0);
        cpu.read();
        cpu.read();

        assertEquals(Optional.empty(), cpu.since(0));
    }

    /** Writes a file in the format of {@code /proc/pressure}. */
    private void write(String resource, long micros) throws IOException {
        Files.writeString(
                directory.resolve(resource),
                "some avg10=15.06 avg60=30.83 avg300=49.44 total=" + micros
                        + "\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
    }
}
