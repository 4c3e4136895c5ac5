package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockEvent;
import io.github.distlock.LockException;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.engine.Outcome.Failed;
import io.github.distlock.engine.Outcome.Offered;
import io.github.distlock.engine.SharedLeaseLincheckTest.SharedGrant;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;

/** One queue of a client without threads, over a store that answers as the test says. */
abstract class OneQueueTest {
    static final Duration LEASE = Duration.ofSeconds(10);
    static final Duration RETRY = Duration.ofMillis(70);
    static final LockOptions OPTIONS = LockOptions.defaults().renewedLease(LEASE);

    final Store store = new Store();
    /** What happens while the engine looks whether a sticky grant can be used again or by others. */
    Runnable looking = () -> {};

    final List<String> events = new ArrayList<>();
    final ThreadlessEngine client = new ThreadlessEngine(store, listener());
    final LockKey key = new LockKey("lock", LockMode.EXCLUSIVE, OPTIONS);
    final LocalQueue queue = client.queues.get(key);

    /** Notes each event in words: its kind, its token, its time, and its detail. */
    private LockListener listener() {
        return (LockListener) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {LockListener.class}, (self, method, told) -> {
                    LockEvent about = (LockEvent) told[0];
                    String detail = told.length > 1 ? " " + told[1] : "";
                    String thread = about.isAsynchronous() ? " asynchronous" : "";
                    events.add(method.getName() + " " + about.fencingToken() + " after "
                            + about.duration().toMillis() + detail + thread);
                    return null;
                });
    }

    /** What an attempt answers. */
    interface Asking {
        Attempt ask() throws InterruptedException;
    }

    static final class Store extends NoStore {
        final List<Spot> spots = new ArrayList<>();
        Asking asking = () -> Attempt.busy(RETRY);
        Supplier<Duration> interval = () -> Duration.ofSeconds(1);

        @Override
        public Duration heartbeatInterval() {
            return interval.get();
        }

        @Override
        public Contender contend(LockRequest request, Signals signals) {
            Spot spot = new Spot(this, request, signals);
            spots.add(spot);
            return spot;
        }

        Spot last() {
            return spots.get(spots.size() - 1);
        }
    }

    /** A contender, which counts the calls of the engine. */
    static final class Spot implements Contender {
        private final Store store;
        final LockRequest request;
        final Signals signals;
        int attempts;
        int withdrawals;
        int forgotten;
        Optional<String> blocker = Optional.of("somebody");

        Spot(Store store, LockRequest request, Signals signals) {
            this.store = store;
            this.request = request;
            this.signals = signals;
        }

        @Override
        public Attempt attempt(Deadline deadline) throws InterruptedException {
            attempts++;
            return store.asking.ask();
        }

        @Override
        public void withdraw(Deadline deadline) {
            withdrawals++;
        }

        @Override
        public Optional<String> blocker() {
            return blocker;
        }

        @Override
        public void forget() {
            forgotten++;
        }
    }

    /** An acquire that the test drives. */
    final class Caller extends Acquisition {
        int wakes;
        int settled;
        Runnable waking = () -> {};

        Caller(LockKey key, Patience patience) {
            super(key, patience, client.acquisitions);
            enter();
        }

        @Override
        void wake() {
            wakes++;
            waking.run();
        }

        @Override
        void settled() {
            settled++;
        }

        @Override
        long threadId() {
            return 17;
        }

        @Override
        String threadName() {
            return "caller";
        }

        @CanIgnoreReturnValue
        long step() {
            try {
                wakes = 0;
                return advance();
            } catch (InterruptedException e) {
                throw new AssertionError(e);
            }
        }

        Handle accepted() {
            Handle offered = ((Offered) outcome()).handle();
            assertThat(accept(offered)).isTrue();
            return offered;
        }
    }

    final Caller waiter() {
        return waiter(key);
    }

    final Caller waiter(LockKey of) {
        return new Caller(of, Patience.untilHeld(HoldLincheckTest.SETTINGS, client.clock));
    }

    final Caller singleTry(LockKey of) {
        return new Caller(of, Patience.oneTry(HoldLincheckTest.SETTINGS, client.clock));
    }

    final Caller limited(Duration wait) {
        return new Caller(key, Patience.limited(wait, HoldLincheckTest.SETTINGS, client.clock));
    }

    final Attempt granted() {
        return Attempt.granted(new SharedGrant(new Journal(), List.of(), Validity.of(client.clock.now(), LEASE)));
    }

    /** A grant whose client may keep it between two holders. */
    final Attempt stickyGranted() {
        return Attempt.granted(new SharedGrant(new Journal(), List.of(), Validity.of(client.clock.now(), LEASE)) {
            @Override
            public boolean hearsOthers() {
                looking.run();
                return true;
            }

            @Override
            public boolean hasEnded() {
                looking.run();
                return false;
            }
        });
    }

    final Handle holder(LockKey of) {
        store.asking = this::granted;
        Caller first = waiter(of);
        first.step();
        store.asking = () -> Attempt.busy(RETRY);
        return first.accepted();
    }

    final long now() {
        return client.clock.nanoTime();
    }

    final void expectUnused() {
        client.clock.runAll();
        assertThat(client.isUnused()).as("the queue is dropped").isTrue();
        assertThat(store.spots).allSatisfy(spot -> assertThat(spot.forgotten).isOne());
    }

    /** Those whose queue entries the keeper keeps alive. */
    final Collection<?> kept() {
        return (Collection<?>) ThreadlessEngine.read(client.keeper, "waiting");
    }

    static String failure(Caller failed) {
        Throwable cause = ((Failed) failed.outcome()).failure();
        assertThat(cause).isInstanceOf(LockException.class);
        return cause.getMessage();
    }
}
