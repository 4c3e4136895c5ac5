package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.servers.JvmProcess;
import io.github.distlock.tests.servers.Waiting;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Time that is moved passes over nobody who waits for it, also when the JVM stands still meanwhile. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StalledStoreTest {
    private static final Duration PATIENCE = Duration.ofSeconds(40);
    private static final int STALLS = 15;

    @Test
    void v8_aHoldIsRenewedHoweverLongItsJvmStandsStill() {
        try (JvmProcess rounds = JvmProcess.start(Rounds.class)) {
            rounds.awaitLine("begun", PATIENCE);
            for (int i = 0; i < STALLS; i++) {
                rounds.suspend();
                Waiting.letPass(Duration.ofMillis(1_100));
                rounds.resume();
                Waiting.letPass(Duration.ofMillis(100));
            }
            rounds.send("end");
            assertEquals("lost: 0", rounds.awaitLine("lost: ", PATIENCE));
        }
    }

    /** Counts how often a hold is lost that should have been renewed, until it is told to end. */
    static final class Rounds {
        public static void main(String[] args) throws Exception {
            int lost = 0;
            System.out.println("begun");
            while (System.in.available() == 0) {
                lost += isLost() ? 1 : 0;
            }
            System.out.println("lost: " + lost);
        }

        private static boolean isLost() throws InterruptedException {
            InMemoryStore store = new InMemoryStore();
            InMemoryBackend backend = store.connect();
            try (LockClient client = LockClient.create(backend)) {
                LockHandle held = client.lock("lock").acquire();
                backend.pause();
                store.advance(Duration.ofSeconds(15));
                backend.resume();
                store.advance(Duration.ofMinutes(1));
                return held.release() != LockHandle.Release.RELEASED;
            }
        }
    }
}
