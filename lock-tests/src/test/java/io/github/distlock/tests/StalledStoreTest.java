package io.github.distlock.tests;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Renewal;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Collection;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A clock that is moved waits for the work that is under way, even if the JVM stands still meanwhile. */
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class StalledStoreTest {
    private static final Duration PATIENCE = Duration.ofMinutes(1);
    /** Longer than the clock waits for work that never ends. */
    private static final Duration STALL = Duration.ofMillis(1_500);
    /** For a clock that no longer waits to move on. */
    private static final Duration ENOUGH = Duration.ofMillis(300);

    @Test
    void v8_aHoldIsRenewedHoweverLongItsJvmStandsStill() {
        try (ChildProgram holder = ChildProgram.start(Holder.class)) {
            holder.awaitLine("renewing", PATIENCE);

            holder.suspend();
            Waiting.letPass(STALL);
            holder.resume();
            Waiting.letPass(ENOUGH);
            holder.send("go on");

            assertEquals("release: RELEASED", holder.awaitLine("release: ", PATIENCE));
        }
    }

    /** Holds a lock for two leases of 30 s. Its first renewal ends when the test sends a line. */
    static final class Holder {
        public static void main(String[] arguments) throws Exception {
            InMemoryStore store = new InMemoryStore();
            AtomicBoolean first = new AtomicBoolean(true);
            WrappedBackend backend = new WrappedBackend(store.connect()) {
                @Override
                public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
                    if (first.getAndSet(false)) {
                        System.out.println("renewing");
                        awaitLine();
                    }
                    super.renewAll(due, deadline);
                }
            };
            try (LockClient client = LockClient.create(backend)) {
                LockHandle held = client.lock("lock").acquire();
                store.advance(Duration.ofMinutes(1));
                System.out.println("release: " + held.release());
            }
        }

        private static void awaitLine() {
            try {
                System.in.read();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
    }
}
