package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import jdk.jfr.Recording;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordedFrame;
import jdk.jfr.consumer.RecordingFile;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a recording of Java Flight Recorder has. */
class FlightTest extends EngineTest {
    private final Recording recording = new Recording();

    @TempDir
    private Path folder;

    @BeforeEach
    void startRecording() {
        List.of("Wait", "Hold", "Loss", "FailedRenewal")
                .forEach(kind -> recording.enable("distlock." + kind).withoutThreshold());
        recording.start();
    }

    @AfterEach
    void closeRecording() {
        recording.close();
    }

    /** Returns the events of this test's client. Others may be of tests before it. */
    private List<RecordedEvent> recorded(String kind) throws IOException {
        Path file = folder.resolve("recording.jfr");
        recording.dump(file);
        return RecordingFile.readAllEvents(file).stream()
                .filter(event -> event.getEventType().getName().equals("distlock." + kind))
                .filter(event -> event.getString("client").equals(client.name()))
                .toList();
    }

    private static List<String> stack(RecordedEvent event) {
        return event.getStackTrace().getFrames().stream()
                .map(RecordedFrame::getMethod)
                .map(method -> method.getType().getName() + "." + method.getName())
                .toList();
    }

    @Test
    void api_aWaitIsRecordedWithTheStackOfItsAcquire() throws Exception {
        LockHandle before = other.lock("a").acquire();
        Task<LockHandle> waiter = startWaiting(lock::acquire);
        before.close();
        LockHandle held = get(waiter);

        List<RecordedEvent> waits = recorded("Wait");
        assertThat(waits).hasSize(1);
        assertThat(waits.get(0).getString("lock")).isEqualTo("a");
        assertThat(waits.get(0).getString("outcome")).isEqualTo("acquired");
        assertThat(waits.get(0).getDuration()).isPositive();
        assertThat(waits.get(0).getThread().getJavaName()).isEqualTo("task");
        assertThat(stack(waits.get(0))).contains(NamedLock.class.getName() + ".acquire");
        held.close();
    }

    @Test
    void api_anAcquireThatDoesNotWaitIsNotRecorded() throws Exception {
        lock.acquire().close();

        assertThat(recorded("Wait")).isEmpty();
    }

    @Test
    void api_aWaitThatFailsIsRecordedWithItsOutcome() throws Exception {
        LockHandle before = other.lock("a").acquire();
        Task<LockHandle> waiter = startWaiting(lock::acquire);
        waiter.thread.interrupt();
        assertFails(waiter).isInstanceOf(InterruptedException.class);
        before.close();

        assertThat(recorded("Wait"))
                .extracting(event -> event.getString("outcome"))
                .containsExactly("interrupted");
    }

    @Test
    void api_aHoldIsRecordedWithTheStackOfItsRelease() throws Exception {
        LockHandle held = lock.acquire();
        held.close();
        held.release();

        List<RecordedEvent> holds = recorded("Hold");
        assertThat(holds).hasSize(1);
        assertThat(holds.get(0).getString("lock")).isEqualTo("a");
        assertThat(holds.get(0).getLong("token")).isEqualTo(held.fencingToken());
        assertThat(holds.get(0).getString("outcome")).isEqualTo("released");
        assertThat(holds.get(0).getDuration()).isPositive();
        assertThat(stack(holds.get(0)))
                .contains(FlightTest.class.getName() + ".api_aHoldIsRecordedWithTheStackOfItsRelease");
    }

    @Test
    void api_aLossIsRecordedWithTheEndOfItsHold() throws Exception {
        LockHandle held = lock.acquire();
        store.lose("a");
        store.advance(Duration.ofSeconds(11));
        event("lost");

        List<RecordedEvent> losses = recorded("Loss");
        assertThat(losses).hasSize(1);
        assertThat(losses.get(0).getString("lock")).isEqualTo("a");
        assertThat(losses.get(0).getLong("token")).isEqualTo(held.fencingToken());
        assertThat(losses.get(0).getString("reason")).isEqualTo("gone");
        assertThat(losses.get(0).getString("acquiredBy"))
                .isEqualTo(Thread.currentThread().getName());
        assertThat(losses.get(0).getDuration("held")).isPositive();
        assertThat(losses.get(0).getStackTrace()).isNotNull();
        assertThat(recorded("Hold"))
                .extracting(event -> event.getString("outcome"))
                .containsExactly("lost");
    }

    @Test
    void api_aReleaseThatFindsNoHoldIsRecordedAsOneLoss() throws Exception {
        LockHandle held = lock.acquire();
        store.delete("a");
        held.release();

        assertThat(recorded("Loss")).hasSize(1);
        assertThat(recorded("Hold"))
                .extracting(event -> event.getString("outcome"))
                .containsExactly("lost");
    }

    @Test
    void api_eachFailedRenewalIsRecorded() throws Exception {
        LockHandle held = lock.acquire();
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("planted");
        };
        store.advance(Duration.ofSeconds(12));
        Await.until("renewals have failed", () -> count("renewalFailed") > 1);
        backend.renewing = memory::renewAll;

        List<RecordedEvent> failures = recorded("FailedRenewal");
        assertThat(failures).hasSizeGreaterThan(1);
        assertThat(failures.get(0).getString("lock")).isEqualTo("a");
        assertThat(failures.get(0).getString("cause")).contains("planted");
        assertThat(failures.get(0).getStackTrace()).isNotNull();
        held.close();
    }

    /** In a JVM of its own, because other recordings have been made in this one. */
    @Test
    void api_aHoldThatBeganBeforeTheFirstRecordingIsNotRecorded() throws Exception {
        Path file = folder.resolve("first.jfr");
        Path output = folder.resolve("output");

        Process program = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        System.getProperty("java.class.path"),
                        FirstRecording.class.getName(),
                        file.toString())
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        try {
            assertThat(program.waitFor(60, TimeUnit.SECONDS)).isTrue();
        } finally {
            program.destroyForcibly();
        }

        assertThat(program.exitValue()).as(Files.readString(output)).isZero();
        assertThat(RecordingFile.readAllEvents(file))
                .filteredOn(event -> event.getEventType().getName().equals("distlock.Hold"))
                .extracting(event -> event.getString("lock"))
                .containsExactly("later");
    }

    /** Records the ends of two holds, of which one began before. */
    static final class FirstRecording {
        private FirstRecording() {}

        public static void main(String[] arguments) throws Exception {
            try (LockClient client = LockClient.create(new InMemoryStore().connect())) {
                LockHandle before = client.lock("before").acquire();
                try (Recording recording = new Recording()) {
                    recording.enable("distlock.Hold").withoutThreshold();
                    recording.start();
                    before.close();
                    client.lock("later").acquire().close();
                    recording.dump(Path.of(arguments[0]));
                }
            }
        }
    }
}
