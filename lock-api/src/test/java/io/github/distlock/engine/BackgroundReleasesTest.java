package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOwner;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** How grants and queue entries go back to a store that fails or refuses, by a clock that the test moves. */
class BackgroundReleasesTest {
    private static final Duration LEASE = Duration.ofSeconds(10);
    /** Its request timeout is longer than a busy machine takes for a step. */
    private static final Settings SETTINGS = new Settings(
            "releasing",
            Duration.ofMinutes(1).toNanos(),
            Duration.ofSeconds(30).toNanos(),
            Duration.ofSeconds(2).toNanos(),
            0.01,
            Duration.ofMillis(50).toNanos(),
            64,
            Duration.ofMillis(20).toNanos(),
            false);

    private static final long TIMEOUT = SETTINGS.requestTimeout();

    private final InMemoryStore time = new InMemoryStore();
    private final LockClock clock = time.clock();
    private final ClientLog log = new ClientLog("releasing");
    private final Timer timer = new Timer("releasing", clock, log);
    private final Work.Shared shared = new Work.Shared("releasing", clock, timer, log);
    private final Store store = new Store();
    private final Requests requests = new Requests(SETTINGS, clock);
    private final CleanUp cleanUp = new CleanUp(store, SETTINGS, shared);
    private final Work threads = Work.bounded(1, "release", shared);
    private final Releases releases = new Releases(store, SETTINGS, requests, cleanUp, threads, shared);
    private final AtomicInteger confirmed = new AtomicInteger();

    BackgroundReleasesTest() {
        timer.start();
    }

    @AfterEach
    void close() {
        cleanUp.close(0);
        threads.close();
        timer.close();
        log.close();
    }

    /** What a request does. */
    private interface Answering {
        Grant.Release answer() throws InterruptedException;
    }

    private final class Store extends NoStore {
        private volatile boolean boundToSession;
        private volatile Answering answering = () -> Grant.Release.RELEASED;
        private final List<Integer> batches = new CopyOnWriteArrayList<>();

        @Override
        public boolean isBoundToSession() {
            return boundToSession;
        }

        @Override
        public LockClock clock() {
            return clock;
        }

        @Override
        public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
                throws InterruptedException {
            batches.add(grants.size());
            Grant.Release answer = answering.answer();
            return grants.stream().limit(1).collect(Collectors.toMap(grant -> grant, grant -> answer));
        }
    }

    /** A contender and its grant, which counts the requests. */
    private final class Held implements Contender, Grant {
        private final String server;
        private final AtomicInteger sent = new AtomicInteger();
        private final AtomicInteger forgotten = new AtomicInteger();
        private final AtomicInteger keptFor = new AtomicInteger();
        private final AtomicLong remaining = new AtomicLong();

        Held(String server) {
            this.server = server;
        }

        @Override
        public Attempt attempt(Deadline deadline) {
            throw new AssertionError("nobody asks");
        }

        @Override
        public void withdraw(Deadline deadline) throws InterruptedException {
            remaining.set(deadline.remainingNanos());
            sent.incrementAndGet();
            var unused = store.answering.answer();
        }

        @Override
        public Release release(Deadline deadline) throws InterruptedException {
            withdraw(deadline);
            return store.answering.answer();
        }

        @Override
        public Release keep(Duration length, Deadline deadline) throws InterruptedException {
            keptFor.set((int) length.toSeconds());
            return release(deadline);
        }

        @Override
        public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
            return store.answering.answer() == Release.GONE ? OptionalLong.empty() : OptionalLong.of(9);
        }

        @Override
        public void forget() {
            forgotten.incrementAndGet();
        }

        @Override
        public Object server() {
            return server;
        }

        @Override
        public long fencingBase() {
            return 7;
        }

        @Override
        public Validity validity() {
            return Validity.of(clock.now(), LEASE);
        }

        private WonGrant won() {
            return new WonGrant(this, this, request());
        }

        private WonGrant wonWithDelay(Duration delay) {
            return new WonGrant(this, this, request().withLockDelay(delay));
        }
    }

    private final Held held = new Held("server");

    private static LockRequest request() {
        return LockRequest.exclusive("lock", LEASE, LockOwner.of("host", 1, "client", "thread"))
                .withMode(LockMode.EXCLUSIVE);
    }

    private void failWith(RuntimeException planted) {
        store.answering = () -> {
            throw planted;
        };
    }

    private void fail() {
        failWith(new IllegalStateException("planted"));
    }

    private void answer() {
        store.answering = () -> Grant.Release.RELEASED;
    }

    private LockHandle.Release release() {
        return releases.release(
                held.won(), () -> !requests.areAnswered(), () -> Duration.ZERO, confirmed::incrementAndGet);
    }

    /** The cleanup is idle before its threads have ended their work. A move of the clock waits for that. */
    private void awaitIdle() {
        Await.until("the cleanup is idle", cleanUp::isIdle);
        time.advance(Duration.ZERO);
    }

    private void expectDone() {
        awaitIdle();
        assertThat(held.forgotten).as("times that the contender was forgotten").hasValue(1);
        assertThat(requests.areAnswered()).isTrue();
    }

    // Cleanup

    @Test
    void s7_aWithdrawalIsRepeatedWithGrowingPausesUntilItIsAnswered() {
        fail();

        cleanUp.withdraw(held, request());
        time.advance(Duration.ofSeconds(2));

        assertThat(held.sent.get()).isBetween(5, 20);
        assertThat(held.remaining.get()).isBetween(TIMEOUT / 2, TIMEOUT);
        assertThat(cleanUp.isIdle()).isFalse();
        assertThat(held.forgotten).hasValue(0);
        answer();
        time.advance(Duration.ofSeconds(1));
        expectDone();
        int last = held.sent.get();
        time.advance(LEASE);
        assertThat(held.sent).hasValue(last);
    }

    @Test
    void s7_aWithdrawalEndsWhenTheStoreHasRemovedTheRestByItself() {
        try (CapturedLog lines = CapturedLog.of(SETTINGS.client())) {
            fail();
            cleanUp.withdraw(held, request());

            time.advance(LEASE.plusSeconds(1));

            expectDone();
            int last = held.sent.get();
            time.advance(LEASE);
            assertThat(held.sent).hasValue(last);
            Await.until("all is logged", () -> lines.at(Level.DEBUG).size() > last);
            log.close();
            assertThat(lines.at(Level.DEBUG))
                    .hasSize(last + 1)
                    .startsWith("lock \"lock\": cleaning up failed, trying again")
                    .endsWith("lock \"lock\": gave up cleaning up, it has ended by itself");
        }
    }

    @Test
    void s7_aWithdrawalGoesOnIfTheSessionMayLive() {
        store.boundToSession = true;
        fail();
        cleanUp.withdraw(held, request());

        time.advance(LEASE.plusSeconds(1));

        assertThat(cleanUp.isIdle()).isFalse();
        answer();
        time.advance(Duration.ofSeconds(1));
        expectDone();
    }

    @Test
    void s7_whatTheStoreRefusesIsNotRepeatedAndEachCauseIsLoggedOnce() {
        try (CapturedLog lines = CapturedLog.of(SETTINGS.client())) {
            failWith(new RequestRefusedException("no rights", null));
            cleanUp.withdraw(held, request());
            expectDone();
            cleanUp.withdraw(new Held("server"), request());
            awaitIdle();
            IntStream.range(0, 120).forEach(i -> {
                failWith(new RequestRefusedException("cause " + i, null));
                cleanUp.withdraw(new Held("server"), request());
                awaitIdle();
            });

            assertThat(held.sent).hasValue(1);
            Await.until("the causes are logged", () -> lines.at(Level.ERROR).size() >= 100);
            log.close();
            assertThat(lines.at(Level.ERROR))
                    .hasSize(100)
                    .first()
                    .isEqualTo(
                            "lock \"lock\": the store refuses to clean up, it stays for PT10S; further locks with the"
                                    + " same cause are not logged");
        }
    }

    @Test
    void v5_aClosedClientForgetsWhatItCannotWithdraw() {
        cleanUp.close(0);

        cleanUp.withdraw(held, request());

        expectDone();
        assertThat(held.sent).hasValue(0);
    }

    @Test
    void v5_aClosingClientWaitsForItsCleanup() {
        Thread closing = Thread.currentThread();
        AtomicInteger answered = new AtomicInteger();
        store.answering = () -> {
            Await.until("the client waits", () -> closing.getState() == Thread.State.TIMED_WAITING);
            answered.incrementAndGet();
            return Grant.Release.RELEASED;
        };
        cleanUp.withdraw(held, request());

        cleanUp.close(Duration.ofSeconds(30).toNanos());

        assertThat(answered).hasValue(1);
        assertThat(held.sent).hasValue(1);
        expectDone();
    }

    @Test
    void s13_aReleaseInTheBackgroundKeepsTheLockAsLongAsItsMinimumHold() {
        cleanUp.release(held.won(), () -> Duration.ofSeconds(3), confirmed::incrementAndGet);

        expectDone();
        assertThat(held.keptFor).hasValue(3);
        assertThat(confirmed).hasValue(1);
    }

    // Releases

    @Test
    void s8_theStoresAnswerIsTheOutcomeOfARelease() {
        assertThat(release()).isEqualTo(LockHandle.Release.RELEASED);
        assertThat(held.remaining.get()).isBetween(TIMEOUT / 2, TIMEOUT);
        expectDone();
        store.answering = () -> Grant.Release.GONE;
        assertThat(release()).isEqualTo(LockHandle.Release.LOST);
        assertThat(requests.areAnswered()).isTrue();
        assertThat(held.forgotten).hasValue(2);
        assertThat(confirmed).hasValue(0);
    }

    @Test
    void s8_aLeaseThatHasEndedIsNotReleased() {
        assertThat(releases.release(held.won(), () -> false, () -> Duration.ZERO, () -> {}))
                .isNull();

        assertThat(held.sent).hasValue(0);
        assertThat(requests.areAnswered()).isTrue();
    }

    @Test
    void s7_aReleaseWithoutAnAnswerGoesOnInTheBackground() {
        fail();

        assertThat(release()).isEqualTo(LockHandle.Release.PENDING);

        assertThat(requests.areAnswered()).isTrue();
        assertThat(held.forgotten).hasValue(0);
        assertThat(confirmed).hasValue(0);
        answer();
        time.advance(Duration.ofSeconds(1));
        expectDone();
        assertThat(confirmed).hasValue(1);
    }

    @Test
    void s7_aReleaseInTheBackgroundIsConfirmed() {
        releases.releaseInBackground(held.won(), confirmed::incrementAndGet);

        expectDone();
        assertThat(confirmed).hasValue(1);
        assertThat(held.keptFor).hasValue(0);
        releases.releaseInBackground(held.won());
        Await.until("another release is sent", () -> held.forgotten.get() == 2);
    }

    @Test
    void s3_anotherBaseRaisesTheClientsGreatest() {
        AtomicLong greatest = new AtomicLong(8);

        assertThat(releases.nextBase(held.won(), greatest)).isEqualTo(9);
        assertThat(greatest).hasValue(9);
        greatest.set(11);
        assertThat(releases.nextBase(held.won(), greatest)).isEqualTo(9);
        assertThat(greatest).hasValue(11);
        store.answering = () -> Grant.Release.GONE;
        assertThat(releases.nextBase(held.won(), greatest)).isZero();
        fail();
        assertThat(releases.nextBase(held.won(), greatest)).isZero();
        assertThat(requests.areAnswered()).isTrue();
    }

    @Test
    void v5_aClosedClientRunsAReleaseOfACallerOnItsThread() {
        List<Thread> ran = new CopyOnWriteArrayList<>();
        releases.execute(() -> ran.add(Thread.currentThread()));
        releases.executeUnlessClosed(() -> ran.add(Thread.currentThread()));
        Await.until("both run", () -> ran.size() == 2);
        assertThat(ran).doesNotContain(Thread.currentThread());

        threads.close();
        releases.executeUnlessClosed(() -> ran.add(Thread.currentThread()));
        assertThat(ran).hasSize(2);
        releases.execute(() -> ran.add(Thread.currentThread()));
        assertThat(ran).hasSize(3).endsWith(Thread.currentThread());
    }

    private Deadline soon() {
        return Deadline.after(Duration.ofSeconds(20), clock);
    }

    @Test
    void v5_aClosingClientReleasesAllHoldsOfAServerTogetherAndRepeatsWhatIsNotAnswered() {
        List<Held> all = new ArrayList<>(List.of(held, new Held("server"), new Held("server"), new Held("other")));

        releases.releaseAll(all.stream().map(Held::won).toList(), soon());

        assertThat(store.batches).containsExactlyInAnyOrder(3, 2, 1, 1);
        assertThat(all).allSatisfy(each -> assertThat(each.forgotten).hasValue(1));
    }

    @Test
    void s15_aClosingClientLeavesTheLockDelaysOfItsHoldsToTheStore() {
        Held plain = new Held("server");

        releases.releaseAll(List.of(held.wonWithDelay(Duration.ofHours(1)), plain.won()), soon());

        expectDone();
        assertThat(held.keptFor.get()).isBetween(3_000, 3_600);
        assertThat(store.batches).containsExactly(1);
        assertThat(plain.forgotten).hasValue(1);
        assertThat(plain.sent).hasValue(0);
    }

    @Test
    void v5_aClosingClientLogsHowManyReleasesAreNotConfirmed() {
        AtomicInteger failures = new AtomicInteger();
        store.answering = () -> {
            if (failures.getAndIncrement() > 0) {
                throw new InterruptedException("planted");
            }
            return Grant.Release.RELEASED;
        };
        try (CapturedLog lines = CapturedLog.of(SETTINGS.client())) {
            releases.releaseAll(List.of(held.won(), new Held("server").won(), new Held("server").won()), soon());
            Await.until("it is logged", () -> !lines.at(Level.WARN).isEmpty());
            log.close();

            assertThat(lines.at(Level.WARN))
                    .containsExactly(
                            "releasing: 2 of 3 holds were not confirmed as released when the client was closed;"
                                    + " each stays locked until its lease ends");
        }
        assertThat(store.batches).containsExactly(3, 2);
    }

    @Test
    void v5_aClosingClientLogsNothingIfAllReleasesAreConfirmed() {
        AtomicInteger failures = new AtomicInteger();
        store.answering = () -> {
            if (failures.getAndIncrement() == 0) {
                throw new IllegalStateException("planted");
            }
            return Grant.Release.RELEASED;
        };
        try (CapturedLog lines = CapturedLog.of(SETTINGS.client())) {
            releases.releaseAll(List.of(held.won()), soon());
            log.close();

            assertThat(lines.at(Level.WARN)).isEmpty();
        }
        assertThat(store.batches).containsExactly(1, 1);
    }

    @Test
    void v5_aClosingClientSendsNoReleaseAfterItsTime() {
        releases.releaseAll(List.of(held.won()), Deadline.after(Duration.ZERO, clock));

        assertThat(store.batches).isEmpty();
        assertThat(held.forgotten).hasValue(1);
    }

    @Test
    void v5_aClosingClientPausesAfterFailures() {
        AtomicInteger failures = new AtomicInteger();
        store.answering = () -> {
            if (failures.getAndIncrement() < 5) {
                throw new IllegalStateException("planted");
            }
            return Grant.Release.RELEASED;
        };
        long begun = clock.nanoTime();

        releases.releaseAll(List.of(held.won()), soon());

        assertThat(store.batches).hasSize(6);
        assertThat(Duration.ofNanos(clock.nanoTime() - begun)).isGreaterThanOrEqualTo(Duration.ofMillis(155));
    }

    /** How often it asks depends on when its thread runs. */
    @Test
    void v5_aClosingClientGivesUpAfterItsTime() {
        fail();

        releases.releaseAll(List.of(held.won()), Deadline.after(Duration.ofMillis(300), clock));

        assertThat(store.batches).hasSizeLessThan(8);
        assertThat(held.forgotten).hasValue(1);
    }
}
