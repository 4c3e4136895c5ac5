package io.github.distlock.memory;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Time that is moved passes over nobody who waits for it. */
@Tag("long")
class MovableClockTest {
    /** Of the race that this once was about, one round in about a thousand fell into it. */
    private static final int ROUNDS = 2_000;
    /** A busy machine needs minutes for all rounds. */
    private static final long LONGEST = Duration.ofSeconds(20).toNanos();

    @Test
    void v8_renewalsRunAtTheirTimeHoweverFarTheClockIsMoved() throws Exception {
        long begun = System.nanoTime();
        for (int round = 0; round < ROUNDS && System.nanoTime() - begun < LONGEST; round++) {
            InMemoryStore store = new InMemoryStore();
            InMemoryBackend backend = store.connect();
            try (LockClient client = LockClient.create(backend);
                    LockHandle held = client.lock("lock").acquire()) {
                backend.pause();
                store.advance(Duration.ofSeconds(15));
                backend.resume();
                store.advance(Duration.ofMinutes(1));
                assertThat(held.state()).as("round %s", round).isEqualTo(LockHandle.State.HELD);
            }
        }
    }
}
