package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.redis.connection.Connections.Server;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Deadline;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Checks when a backend makes, replaces and ends its subscription. The tests break the connections. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SubscriptionTest {
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final Connections connections = new Connections();
    private final AtomicLong time = new AtomicLong(Duration.ofHours(1).toNanos());
    private final AtomicInteger timesMade = new AtomicInteger();
    private final BlockingQueue<Thread> readers = new LinkedBlockingQueue<>();
    private final Queue<Throwable> failuresToStart = new ConcurrentLinkedQueue<>();
    private final Context engine = new Context();
    private final RedisContext context = new RedisContext(new TestClock(time), replaced -> {});
    private final Subscription subscription =
            new Subscription(connections, "channel", message -> {}, timesMade::incrementAndGet, context);

    @BeforeEach
    void start() {
        context.start(engine);
    }

    @AfterEach
    void close() {
        subscription.close();
    }

    private static void await(String expected, BooleanSupplier condition) {
        Waiting.await(expected, PATIENCE, condition);
    }

    private void awaitNoReader() {
        await("each reader has ended", () -> readers.stream().noneMatch(Thread::isAlive));
    }

    private void letPass(Duration passed) {
        time.addAndGet(passed.toNanos());
    }

    private Connection subscribe() throws InterruptedException {
        subscription.need();
        Connection connection = connections.next();
        connection.confirm();
        await("the subscription is active", subscription::isActive);
        return connection;
    }

    @Test
    void v2_waitersShareOneSubscriptionWhichIsActiveOnceConfirmed() throws InterruptedException {
        subscription.need();
        subscription.need();
        Connection connection = connections.next();
        assertFalse(subscription.isActive());

        connection.confirm();

        await("the subscription is active", subscription::isActive);
        assertEquals(1, timesMade.get());
        assertTrue(connections.made.isEmpty());
    }

    @Test
    void v2_aBrokenSubscriptionIsMadeAgainAtOnce() throws InterruptedException {
        Connection first = subscribe();

        first.broken.countDown();

        connections.next().confirm();
        await("it was made twice", () -> timesMade.get() == 2);
        assertTrue(subscription.isActive());
    }

    @Test
    void v6_aSubscriptionThatFailsIsTriedAgainAfterLongerAndLongerPauses() throws InterruptedException {
        Duration longest = Duration.ofSeconds(32);
        for (Duration pause = Duration.ofMillis(250); pause.toSeconds() < 100; pause = pause.multipliedBy(2)) {
            subscription.need();
            connections.next().broken.countDown();
            awaitNoReader();
            int before = readers.size();

            letPass((pause.compareTo(longest) > 0 ? longest : pause).minusNanos(1));
            subscription.need();

            assertEquals(before, readers.size(), "no reader before " + pause);
            letPass(Duration.ofNanos(1));
        }
        assertFalse(subscription.isActive());
        assertFalse(subscribe().isEnded());
    }

    @Test
    void v6_onlyARefusalIsReportedAndOnlyOnce() throws InterruptedException {
        ErrorReply refusal = new ErrorReply("NOPERM", new IllegalStateException());
        assertEquals(1, refusalsDuring(() -> fail(refusal)), "the first refusal");
        letPass(Duration.ofMillis(250));
        assertEquals(0, refusalsDuring(() -> fail(refusal)), "the second refusal");
        letPass(Duration.ofSeconds(1));
        long after = refusalsDuring(() -> {
            subscribe().broken.countDown();
            connections.next().broken.countDown();
            awaitNoReader();
        });
        assertEquals(0, after, "a connection that broke");
    }

    private void fail(Throwable failure) throws InterruptedException {
        subscription.need();
        Connection connection = connections.next();
        connection.failure = failure;
        connection.broken.countDown();
        awaitNoReader();
    }

    private static long refusalsDuring(BackendWarnings.Action action) throws InterruptedException {
        return BackendWarnings.during("the server refuses the subscription to channel, so waiters poll", action)
                .size();
    }

    @Test
    void v6_pausesAreShortAgainAfterASubscription() throws InterruptedException {
        for (int i = 0; i < 5; i++) {
            subscription.need();
            connections.next().broken.countDown();
            awaitNoReader();
            letPass(Duration.ofSeconds(32));
        }
        subscribe().broken.countDown();
        connections.next().broken.countDown();
        awaitNoReader();

        letPass(Duration.ofMillis(250));

        subscription.need();
        connections.next();
    }

    @Test
    void v2_aReaderThatCannotBeStartedIsMadeAgain() throws InterruptedException {
        failuresToStart.add(new OutOfMemoryError("unable to create native thread"));
        subscription.need();
        assertTrue(failuresToStart.isEmpty());
        subscription.need();
        assertEquals(1, readers.size(), "none before a pause");
        letPass(Duration.ofMillis(250));

        subscription.need();

        connections.next();
    }

    @Test
    void v2_aReaderThatEndsWithAnErrorIsReplaced() throws InterruptedException {
        Connection first = subscribe();
        first.failure = new OutOfMemoryError("Java heap space");

        first.broken.countDown();

        connections.next();
    }

    @Test
    void v2_aReaderWhoseFailureCannotBeLoggedIsReplaced() throws InterruptedException {
        subscription.need();
        Connection first = connections.next();
        engine.failure = new OutOfMemoryError("Java heap space");

        first.broken.countDown();

        awaitNoReader();
        engine.failure = null;
        letPass(Duration.ofMillis(250));
        subscription.need();
        connections.next();
    }

    @Test
    void v2_waitersPollIfAClientHasNoConnectionForASubscription() {
        connections.canListen = false;

        subscription.need();

        assertTrue(readers.isEmpty());
        assertFalse(subscription.isActive());
    }

    @Test
    void v8_holdsAreRenewedAfterASubscriptionHasBroken() throws InterruptedException {
        Connection first = subscribe();
        assertEquals(0, engine.timesLost.get());

        first.broken.countDown();

        connections.next();
        assertEquals(1, engine.timesLost.get());
    }

    @Test
    void v8_theEndOfAnUnusedSubscriptionRenewsNoHolds() throws InterruptedException {
        Connection first = subscribe();
        letPass(Duration.ofSeconds(5));

        first.broken.countDown();

        awaitNoReader();
        assertEquals(0, engine.timesLost.get());
    }

    @Test
    void v6_anUnusedSubscriptionIsMadeAgainOnlyForTheNextWaiter() throws InterruptedException {
        Connection first = subscribe();
        letPass(Duration.ofSeconds(5));

        first.broken.countDown();

        awaitNoReader();
        assertTrue(connections.made.isEmpty());
        assertNotSame(first, subscribe());
    }

    @Test
    void v6_aSubscriptionThatIsDisconnectedIsMadeAgainOnlyForTheNextWaiter() throws InterruptedException {
        Connection first = subscribe();

        subscription.disconnect();

        assertTrue(first.isEnded());
        awaitNoReader();
        assertTrue(connections.made.isEmpty());
        assertEquals(0, engine.timesLost.get());
        assertNotSame(first, subscribe());
    }

    @Test
    void v2_aSubscriptionThatWasNeededLatelyIsMadeAgain() throws InterruptedException {
        Connection first = subscribe();
        letPass(Duration.ofSeconds(5).minusNanos(1));

        first.broken.countDown();

        connections.next();
    }

    @Test
    void v2_aSilentSubscriptionIsReplaced() throws InterruptedException {
        Connection silent = subscribe();
        silent.silent = true;
        silent.stays = true;

        subscription.ping();

        assertFalse(subscription.isActive());
        Connection next = connections.next();
        assertTrue(silent.isEnded());
        next.confirm();
        await("the next one is active", subscription::isActive);
        silent.broken.countDown();
    }

    @Test
    void v2_aSubscriptionThatCannotBePingedIsMadeAgain() throws InterruptedException {
        Connection first = subscribe();
        subscription.ping();
        assertEquals(1, first.pings.get());
        first.pings.set(Integer.MIN_VALUE);

        subscription.ping();

        connections.next();
    }

    @Test
    void v6_noPingIsSentWithoutASubscription() {
        subscription.ping();

        assertTrue(connections.made.isEmpty());
    }

    @Test
    void v5_closingEndsTheReaderAndForbidsAnother() throws InterruptedException {
        Connection connection = subscribe();

        subscription.close();

        assertTrue(connection.isEnded());
        awaitNoReader();
        assertEquals(1, readers.size(), "no other is started");
        subscription.need();
        assertTrue(connections.made.isEmpty());
    }

    @Test
    void v5_closingWaitsForTheEndOfTheReader() throws InterruptedException {
        Connection connection = subscribe();
        connection.stays = true;
        Thread closing = Thread.currentThread();
        CompletableFuture<Void> waiting = CompletableFuture.runAsync(
                () -> await("close waits", () -> closing.getState() == Thread.State.TIMED_WAITING));
        var unused = waiting.whenComplete((done, failure) -> connection.broken.countDown());
        long begin = System.nanoTime();

        subscription.close();

        boolean gaveUp = System.nanoTime() - begin >= Duration.ofMillis(250).toNanos();
        assertTrue(gaveUp || readers.stream().noneMatch(Thread::isAlive));
    }

    @Test
    void v7_anInterruptWhileItIsClosedIsKept() throws InterruptedException {
        Connection connection = subscribe();
        connection.stays = true;

        Thread.currentThread().interrupt();
        subscription.close();

        assertTrue(Thread.interrupted());
        connection.broken.countDown();
    }

    private final class Context implements BackendContext {
        private final AtomicInteger timesLost = new AtomicInteger();
        private volatile Error failure;

        @Override
        public String clientName() {
            return "test";
        }

        @Override
        public Thread newThread(String role, Runnable task) {
            Thread reader = new Thread(task) {
                {
                    setUncaughtExceptionHandler((thread, error) -> {});
                }

                @Override
                public synchronized void start() {
                    if (failuresToStart.poll() instanceof Error error) {
                        throw error;
                    }
                    super.start();
                }
            };
            readers.add(reader);
            return reader;
        }

        @Override
        public void log(Runnable statement) {
            if (failure != null) {
                throw failure;
            }
            statement.run();
        }

        @Override
        public void connectionLost(Object server) {
            timesLost.incrementAndGet();
        }
    }

    private static final class Connections implements Redis {
        private final BlockingQueue<Connection> made = new LinkedBlockingQueue<>();
        private volatile boolean canListen = true;

        @CanIgnoreReturnValue
        Connection next() throws InterruptedException {
            Connection next = made.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            assertTrue(next != null, "it is made again");
            return next;
        }

        @Override
        public Listening listening(String channel, Consumer<String> messages, Runnable subscribed) {
            return new Connection(this, subscribed);
        }

        @Override
        public List<?> call(ScriptCall call, Deadline deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<Object> callAll(List<ScriptCall> calls, Deadline deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean isOneServer() {
            throw new UnsupportedOperationException();
        }

        @Override
        public Object server(LockKeys keys) {
            throw new UnsupportedOperationException();
        }

        @Override
        public List<Server> servers(Deadline deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void publish(ScriptCall call, Deadline deadline) {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean sendsAgain() {
            return false;
        }

        @Override
        public boolean followsFailovers() {
            return false;
        }

        @Override
        public boolean canListen() {
            return canListen;
        }

        @Override
        public void disconnect() {}

        @Override
        public void close() {}
    }

    private static final class Connection implements Listening {
        private final Connections all;
        private final Runnable subscribed;
        private final CountDownLatch broken = new CountDownLatch(1);
        private final CountDownLatch ended = new CountDownLatch(1);
        private final AtomicInteger pings = new AtomicInteger();
        private volatile boolean silent;
        private volatile boolean stays;
        private volatile Throwable failure = new IllegalStateException("it has broken");

        private Connection(Connections all, Runnable subscribed) {
            this.all = all;
            this.subscribed = subscribed;
        }

        void confirm() {
            subscribed.run();
        }

        boolean isEnded() {
            return ended.getCount() == 0;
        }

        @Override
        public void run() throws InterruptedException {
            all.made.add(this);
            broken.await();
            if (failure instanceof Error error) {
                throw error;
            }
            throw failure instanceof ErrorReply refusal ? refusal : new IllegalStateException(failure);
        }

        @Override
        public void askForSignOfLife() {
            if (pings.incrementAndGet() < 0) {
                throw new IllegalStateException("it cannot be pinged");
            }
        }

        @Override
        public boolean isSilent() {
            return silent;
        }

        @Override
        public Object server() {
            return "";
        }

        @Override
        public void end() {
            ended.countDown();
            if (!stays) {
                broken.countDown();
            }
        }
    }
}
