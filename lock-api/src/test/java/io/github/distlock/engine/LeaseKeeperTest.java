package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockClock.Parker;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** How often the engine looks at its leases, and what it sends to which server. */
class LeaseKeeperTest extends EngineTest {
    /** Renewed after 20 s, or with others from 17.5 s on. */
    private static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LONG);

    /** How many renewals each batch had that was sent to the slow server. */
    private final List<Integer> slowBatches = new CopyOnWriteArrayList<>();

    private final List<Parker> unanswered = new CopyOnWriteArrayList<>();
    private volatile boolean hangs = true;

    @CanIgnoreReturnValue
    private LockHandle acquire(String name, String server) throws InterruptedException {
        backend.asking = (contender, deadline) -> {
            Grant grant = ((Attempt.Granted) contender.attempt(deadline)).grant();
            return Attempt.granted(overriding(Grant.class, grant, "server", () -> server));
        };
        return client.lock(name, OPTIONS).acquire();
    }

    /** The slow server answers a batch once it no longer hangs. The other one answers at once. */
    private void renew(Collection<? extends Renewal> due, Deadline deadline) {
        if (due.iterator().next().grant().server().equals("slow")) {
            slowBatches.add(due.size());
            awaitAnswer();
        }
        due.forEach(renewal -> renewal.renewed(Validity.of(backend.clock().now(), renewal.lease())));
    }

    /** Waits by the clock that the test moves, so that no move waits for this. */
    private void awaitAnswer() {
        try (Parker parker = backend.clock().parker()) {
            unanswered.add(parker);
            while (hangs) {
                parker.parkUntil(backend.clock().nanoTime() + LONG.toNanos());
            }
        }
    }

    @Test
    void v8_aServerThatHangsGetsTwoBatchesAtMostAndTheRestOnceItAnswers() throws Exception {
        backend.renewing = this::renew;
        List<LockHandle> holds = new ArrayList<>();
        for (String name : List.of("a", "b", "c", "d")) {
            holds.add(acquire(name, "slow"));
            store.advance(Duration.ofSeconds(5));
        }
        holds.add(acquire("e", "fast"));

        // All of them are due by now. The third batch would have those of "c" and "d".
        store.advance(Duration.ofSeconds(20));
        assertThat(slowBatches).containsExactly(1, 1);
        Await.until("the hold on the other server is renewed", () -> count("renewed") == 1);
        hangs = false;
        unanswered.forEach(Parker::unpark);

        Await.until("all holds are renewed", () -> count("renewed") == 5);
        assertThat(slowBatches).containsExactly(1, 1, 2);
        assertThat(holds).extracting(LockHandle::state).containsOnly(State.HELD);
    }

    @Test
    void v6_aKeeperLooksOncePerSecondAndSendsAHeartbeatPerInterval() {
        backend.heartbeatInterval = Duration.ofSeconds(10);
        LockClock clock = backend.clock();
        ClientLog log = new ClientLog("keeper");
        Timer timer = new Timer("keeper", clock, log);
        timer.start();
        AtomicInteger looks = new AtomicInteger();
        LeaseKeeper keeper = new LeaseKeeper(
                backend,
                HoldLincheckTest.SETTINGS,
                new Work.Shared("keeper", clock, timer, log),
                looks::incrementAndGet);
        LockOwner owner = LockOwner.of("host", 1, "keeper", "thread");
        Contender waiter = memory.contend(LockRequest.exclusive("a", LEASE, owner), new NoSignals());
        long begun = clock.nanoTime();

        keeper.startHeartbeats(waiter);
        store.advance(LONG);

        int passed = (int) Duration.ofNanos(clock.nanoTime() - begun).toSeconds();
        // The first one comes with the first heartbeat.
        assertThat(looks.get()).as("looks in %s s", passed).isBetween(45, passed);
        assertThat(backend.heartbeats.get()).isBetween(5, passed / 10);

        keeper.stopHeartbeats(waiter);
        store.advance(Duration.ofSeconds(10));
        int last = looks.get();
        store.advance(LONG);

        assertThat(looks).as("looks of a keeper that keeps nothing").hasValue(last);
        keeper.close();
        timer.close();
        log.close();
    }

    private static final class NoSignals implements Signals {
        @Override
        public void wakeUp() {}

        @Override
        public void wanted() {}

        @Override
        public void suspect() {}

        @Override
        public void gone() {}
    }
}
