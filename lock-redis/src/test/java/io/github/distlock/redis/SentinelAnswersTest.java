package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import io.github.distlock.LockOwner;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.DefaultJedisClientConfig;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.exceptions.JedisConnectionException;

/** Sentinels and primaries that answer what no real ones answer on demand. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SentinelAnswersTest {
    private static final Duration LEASE = Duration.ofSeconds(30);
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final String client = UUID.randomUUID().toString();
    private final RecordingContext context = new RecordingContext(client);
    private final List<AutoCloseable> opened = new ArrayList<>();

    @AfterEach
    void close() throws Exception {
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    /** A sentinel that names a server, and its subscribers. */
    private final class Sentinel {
        private final List<ScriptedServer.Client> subscribers = new CopyOnWriteArrayList<>();
        private final ScriptedServer server;
        private volatile HostAndPort primary;
        private final AtomicLong epoch;
        /** The primaries that the sentinel names to its askers: those of the time of their first question. */
        private final Map<ScriptedServer.Client, HostAndPort> asked = new ConcurrentHashMap<>();
        /** What the sentinel does between a question and its answer. */
        private volatile Runnable beforeAnswer = () -> {};

        Sentinel(ScriptedServer primary, long epoch) {
            this.primary = HostAndPort.from(primary.address());
            this.epoch = new AtomicLong(epoch);
            this.server = serve(this::answer);
        }

        private void answer(ScriptedServer.Client asker, List<String> command) throws IOException {
            switch (command.get(0)) {
                case "SUBSCRIBE" -> {
                    subscribers.add(asker);
                    asker.send("*3\r\n$9\r\nsubscribe\r\n$14\r\n+switch-master\r\n:1\r\n");
                }
                case "SENTINEL" -> {
                    if (command.get(1).equalsIgnoreCase("master")) {
                        asked.put(asker, primary);
                        String known = epoch.toString();
                        beforeAnswer.run();
                        asker.send(array("name", "locks", "config-epoch", known));
                    } else {
                        HostAndPort named = asked.remove(asker);
                        asker.send(array(named.getHost(), String.valueOf(named.getPort())));
                    }
                }
                default -> asker.succeed(command);
            }
        }

        /** Returns how many questions have come: two at a time. */
        private long questions() {
            return server.commands().stream()
                    .filter(command -> command.get(0).equals("SENTINEL"))
                    .count();
        }

        void announce(ScriptedServer next) throws IOException {
            HostAndPort former = primary;
            primary = HostAndPort.from(next.address());
            epoch.incrementAndGet();
            String message = "locks " + former.getHost() + " " + former.getPort() + " " + primary.getHost() + " "
                    + primary.getPort();
            for (ScriptedServer.Client subscriber : subscribers) {
                subscriber.send("*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$" + message.length() + "\r\n"
                        + message + "\r\n");
            }
        }
    }

    private static String array(String... texts) {
        StringBuilder array = new StringBuilder("*" + texts.length + "\r\n");
        for (String text : texts) {
            array.append("$").append(text.length()).append("\r\n").append(text).append("\r\n");
        }
        return array.toString();
    }

    private ScriptedServer serve(ScriptedServer.Behavior behavior) {
        ScriptedServer server = ScriptedServer.answering(behavior);
        opened.add(server);
        return server;
    }

    private ScriptedServer serveWithRole(String role) {
        return serve((asker, command) -> {
            if (command.get(0).equals("ROLE")) {
                asker.send(array(role));
            } else {
                asker.succeed(command);
            }
        });
    }

    private ScriptedServer serveAsPrimary() {
        return serveWithRole("master");
    }

    private RedisBackend started(RedisBackend backend) {
        backend.start(context);
        opened.add(0, backend);
        return backend;
    }

    private RedisBackend connect(Object... sentinels) {
        List<String> addresses = new ArrayList<>();
        for (Object sentinel : sentinels) {
            addresses.add(sentinel instanceof Sentinel scripted ? scripted.server.address() : sentinel.toString());
        }
        return started(RedisBackend.connect("redis-sentinel://" + String.join(",", addresses) + "/locks"));
    }

    private static Attempt attempt(RedisBackend backend, Duration time) throws InterruptedException {
        LockRequest request = LockRequest.exclusive("job", LEASE, LockOwner.of("host", 7, "client", "thread"))
                .withoutWaiting();
        return backend.contend(request, new IgnoredSignals()).attempt(Deadline.after(time, LockClock.system()));
    }

    private static boolean succeeds(RedisBackend backend) {
        try {
            return attempt(backend, Duration.ofSeconds(1)) instanceof Attempt.Granted;
        } catch (InterruptedException | RuntimeException e) {
            return false;
        }
    }

    private static boolean hasScript(ScriptedServer server) {
        return server.commands().stream().anyMatch(command -> command.get(0).startsWith("EVAL"));
    }

    private long threads(String role) {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("distlock-" + client + "-" + role))
                .count();
    }

    // Who is the primary

    private static boolean areAsked(List<Sentinel> sentinels) {
        return sentinels.stream().allMatch(sentinel -> sentinel.questions() > 0);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s1_theAnswerWithTheGreatestEpochCounts(boolean newestFirst) throws InterruptedException {
        ScriptedServer former = serveAsPrimary();
        ScriptedServer present = serveAsPrimary();
        Sentinel newest = new Sentinel(present, 8);
        Sentinel late = new Sentinel(former, 7);
        Sentinel later = new Sentinel(former, 6);
        List<Sentinel> all = List.of(newest, late, later);
        // Answers count for 100 ms after the first one.
        Runnable awaitQuestions = () -> Waiting.await("all are asked", PATIENCE, () -> areAsked(all));
        all.forEach(sentinel -> sentinel.beforeAnswer = awaitQuestions);
        RedisBackend backend = newestFirst ? connect(newest, late, later) : connect(late, later, newest);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        assertThat(hasScript(present)).isTrue();
        assertThat(hasScript(former)).isFalse();
    }

    /** Connects, and waits until the question after the subscription has been asked, too. */
    private RedisBackend connectAndListen(Sentinel sentinel, Object... others) throws InterruptedException {
        List<Object> all = new ArrayList<>(List.of(others));
        all.add(0, sentinel);
        RedisBackend backend = connect(all.toArray());
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the sentinel is asked again after the subscription", PATIENCE, () -> sentinel.questions() >= 4);
        return backend;
    }

    /** Breaks the subscription, and waits until a sentinel has answered another inquiry. */
    private static void haveAsked(Sentinel sentinel) throws IOException {
        Waiting.await("the backend listens", PATIENCE, () -> !sentinel.subscribers.isEmpty());
        Waiting.await("its question has ended", PATIENCE, () -> hasOneConnection(sentinel));
        long before = sentinel.questions();
        sentinel.subscribers.remove(0).close();
        Waiting.await(
                "the sentinel has answered",
                PATIENCE,
                () -> sentinel.questions() >= before + 2
                        && !sentinel.subscribers.isEmpty()
                        && hasOneConnection(sentinel));
    }

    private static boolean hasOneConnection(Sentinel sentinel) {
        return sentinel.server.ended() == sentinel.server.connections() - 1;
    }

    @Test
    void s1_anotherServerWithTheSameEpochDoesNotReplaceThePrimary() throws Exception {
        ScriptedServer other = serveAsPrimary();
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        RedisBackend backend = connectAndListen(sentinel);

        sentinel.primary = HostAndPort.from(other.address());
        haveAsked(sentinel);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(other.connections()).isZero();
    }

    /** The other sentinel does not answer. So this one may be the only one that lags. */
    @Test
    void s1_aLaterEpochOfTheSamePrimaryCountsAgainstAnEarlierOneOfAnotherServer() throws Exception {
        ScriptedServer silent = serve(ScriptedServer.Client::succeed);
        silent.close();
        ScriptedServer other = serveAsPrimary();
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        RedisBackend backend = connectAndListen(sentinel, silent.address());
        sentinel.epoch.set(3);
        haveAsked(sentinel);

        sentinel.epoch.set(2);
        sentinel.primary = HostAndPort.from(other.address());
        haveAsked(sentinel);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(other.connections()).isZero();
    }

    @Test
    void v2_aSentinelThatGivesNoEpochIsBelieved() throws InterruptedException {
        ScriptedServer primary = serveAsPrimary();
        HostAndPort address = HostAndPort.from(primary.address());
        ScriptedServer sentinel = serve((asker, command) -> {
            if (!command.get(0).equals("SENTINEL")) {
                asker.succeed(command);
            } else if (command.get(1).equalsIgnoreCase("master")) {
                asker.send(array("name", "locks", "config-epoch"));
            } else {
                asker.send(array(address.getHost(), String.valueOf(address.getPort())));
            }
        });

        assertInstanceOf(Attempt.Granted.class, attempt(connect(sentinel.address()), PATIENCE));

        assertThat(hasScript(primary)).isTrue();
    }

    @Test
    void v4_sentinelsThatAreDeadOrSilentDelayNoRequest() throws Exception {
        ScriptedServer dead = serve(ScriptedServer.Client::succeed);
        dead.close();
        CountDownLatch end = new CountDownLatch(1);
        ScriptedServer silent = new ScriptedServer(asker -> await(end));
        opened.add(silent);
        RedisBackend backend = connect(dead.address(), silent.address(), new Sentinel(serveAsPrimary(), 1));

        assertInstanceOf(Attempt.Granted.class, attempt(backend, Duration.ofMillis(900)));

        end.countDown();
    }

    private static void await(CountDownLatch latch) {
        try {
            var unused = latch.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void v2_aServerThatIsNoPrimaryGetsNoRequestAndIsLeft() {
        ScriptedServer replica = serveWithRole("slave");
        Sentinel sentinel = new Sentinel(replica, 1);
        RedisBackend backend = connect(sentinel);
        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isInstanceOf(ErrorReply.class)
                .hasMessageContaining("READONLY")
                .hasMessageContaining("slave");

        sentinel.primary = HostAndPort.from(serveAsPrimary().address());

        Waiting.await("the primary is found", PATIENCE, () -> succeeds(backend));
        assertThat(hasScript(replica)).isFalse();
    }

    @Test
    void v2_aReadOnlyPrimaryIsLeftWithinARequest() throws InterruptedException {
        List<Sentinel> sentinels = new CopyOnWriteArrayList<>();
        ScriptedServer demoted = serve((asker, command) -> {
            switch (command.get(0)) {
                case "ROLE" -> asker.send(array("master"));
                case "EVALSHA" -> {
                    // The subscription has the sentinels asked. Later, it could be just before the primary has changed.
                    Waiting.await(
                            "the sentinel is asked again after the subscription",
                            PATIENCE,
                            () -> sentinels.get(0).questions() >= 4);
                    asker.send("-READONLY You can't write against a read only replica.\r\n");
                }
                default -> asker.succeed(command);
            }
        });
        Sentinel sentinel = new Sentinel(demoted, 1);
        sentinels.add(sentinel);
        RedisBackend backend = connect(sentinel);
        assertThatThrownBy(() -> attempt(backend, PATIENCE)).hasMessageContaining("READONLY");
        long begin = System.nanoTime();
        Waiting.await(
                "the sentinels may be asked again",
                PATIENCE,
                () -> System.nanoTime() - begin > TimeUnit.MILLISECONDS.toNanos(200));

        sentinel.primary = HostAndPort.from(serveAsPrimary().address());

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(context.lostConnections()).as("holds are renewed").contains("locks");
    }

    @Test
    void v2_aPrimaryThatIsNotReadOnlyStaysIfTheSentinelsAreDead() throws InterruptedException {
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        RedisBackend backend = connect(sentinel);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        sentinel.server.close();

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
    }

    @Test
    void v2_aPrimaryIsFollowedAfterTheSentinelsHaveForgottenTheirEpochs() throws Exception {
        ScriptedServer former = serveAsPrimary();
        Sentinel one = new Sentinel(former, 7);
        Sentinel other = new Sentinel(former, 7);
        RedisBackend backend = connect(one, other);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        awaitQuestions(one, other, 4);
        one.epoch.set(0);
        other.epoch.set(0);
        Sentinel listened = one.subscribers.isEmpty() ? other : one;
        listened.subscribers.remove(0).close();
        awaitQuestions(one, other, 6);

        other.server.close();
        one.primary = HostAndPort.from(serveAsPrimary().address());
        one.epoch.set(1);
        former.close();

        Waiting.await("the primary is found", PATIENCE, () -> succeeds(backend));
    }

    /** Waits until both sentinels have been asked so often, and all their connections but a subscription have ended. */
    private static void awaitQuestions(Sentinel one, Sentinel other, long questions) {
        Waiting.await(
                "both have answered, and one is listened to",
                PATIENCE,
                () -> one.questions() >= questions
                        && other.questions() >= questions
                        && one.subscribers.size() + other.subscribers.size() == 1
                        && one.server.ended() + other.server.ended()
                                == one.server.connections() + other.server.connections() - 1);
    }

    // The message of the switch

    @Test
    void v4_aRequestUnderWayAtTheFormerPrimaryGoesToTheNewOneAtOnce() throws Exception {
        CountDownLatch end = new CountDownLatch(1);
        ScriptedServer stopped = serve((asker, command) -> {
            if (command.get(0).equals("ROLE")) {
                asker.send(array("master"));
            } else if (command.get(0).startsWith("EVAL")) {
                await(end);
            }
        });
        ScriptedServer next = serveAsPrimary();
        Sentinel sentinel = new Sentinel(stopped, 1);
        RedisBackend backend = connect(sentinel);
        var threads = Executors.newSingleThreadExecutor();
        opened.add(threads::shutdownNow);
        Future<Attempt> attempt = threads.submit(() -> attempt(backend, PATIENCE));
        Waiting.await("a request is under way", PATIENCE, () -> hasScript(stopped));
        Waiting.await("the sentinel is asked again after the subscription", PATIENCE, () -> sentinel.questions() >= 4);

        sentinel.announce(next);

        assertInstanceOf(Attempt.Granted.class, attempt.get(PATIENCE.toSeconds() / 2, TimeUnit.SECONDS));
        assertThat(hasScript(next)).isTrue();
        Waiting.await(
                "holds are renewed at the new primary",
                PATIENCE,
                () -> context.lostConnections().contains("locks"));
        end.countDown();
        Waiting.await("the old connections are closed", PATIENCE, () -> stopped.ended() == stopped.connections());
    }

    @Test
    void s1_anAnswerThatWasAskedForBeforeTheSwitchDoesNotUndoIt() throws Exception {
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        RedisBackend backend = connect(sentinel);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the backend listens", PATIENCE, () -> sentinel.questions() >= 4);
        ScriptedServer next = serveAsPrimary();
        CountDownLatch switched = new CountDownLatch(1);
        sentinel.beforeAnswer = () -> await(switched);
        long before = sentinel.questions();
        sentinel.subscribers.remove(0).close();
        Waiting.await("the sentinel has been asked", PATIENCE, () -> sentinel.questions() > before);
        Waiting.await("the backend listens again", PATIENCE, () -> sentinel.subscribers.size() == 1);

        sentinel.announce(next);
        Waiting.await(
                "holds are renewed at the new primary",
                PATIENCE,
                () -> !context.lostConnections().isEmpty());
        switched.countDown();

        Waiting.await(
                "the question has ended", PATIENCE, () -> sentinel.server.ended() >= sentinel.server.connections() - 1);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(hasScript(next)).isTrue();
    }

    @Test
    void s1_aSentinelThatLagsDoesNotUndoASwitch() throws Exception {
        ScriptedServer former = serveAsPrimary();
        Sentinel sentinel = new Sentinel(former, 1);
        Sentinel lagging = new Sentinel(former, 1);
        RedisBackend backend = connect(sentinel, lagging);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await(
                "the backend listens",
                PATIENCE,
                () -> sentinel.subscribers.size() + lagging.subscribers.size() == 1 && lagging.questions() >= 4);
        sentinel.subscribers.addAll(lagging.subscribers);
        ScriptedServer next = serveAsPrimary();
        sentinel.announce(next);
        Waiting.await(
                "holds are renewed at the new primary",
                PATIENCE,
                () -> !context.lostConnections().isEmpty());

        sentinel.server.close();
        long before = lagging.questions();
        for (ScriptedServer.Client subscriber : lagging.subscribers) {
            subscriber.close();
        }
        Waiting.await("the lagging sentinel has answered", PATIENCE, () -> lagging.questions() >= before + 2);
        Waiting.await(
                "the question has ended", PATIENCE, () -> lagging.server.ended() >= lagging.server.connections() - 1);

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(hasScript(next)).isTrue();
    }

    @Test
    void s5_aForcedReleaseUnderWayAtTheFormerPrimaryIsNotRepeated() throws Exception {
        ScriptedServer next = serveAsPrimary();
        List<Sentinel> sentinels = new CopyOnWriteArrayList<>();
        ScriptedServer former = serve((asker, command) -> {
            if (command.get(0).equals("ROLE")) {
                asker.send(array("master"));
            } else if (command.get(0).startsWith("EVAL")) {
                Waiting.await(
                        "the backend listens",
                        PATIENCE,
                        () -> !sentinels.get(0).subscribers.isEmpty());
                sentinels.get(0).announce(next);
            }
        });
        sentinels.add(new Sentinel(former, 1));
        RedisBackend backend = connect(sentinels.get(0));

        assertThatThrownBy(() -> backend.forceRelease("job", OptionalLong.empty(), TestContender.deadline()))
                .isInstanceOf(JedisConnectionException.class);

        assertThat(hasScript(next)).isFalse();
    }

    @Test
    void s1_aMessageAboutAnotherPrimaryChangesNothing() throws Exception {
        ScriptedServer primary = serveAsPrimary();
        Sentinel sentinel = new Sentinel(primary, 1);
        RedisBackend backend = connect(sentinel);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the backend listens", PATIENCE, () -> !sentinel.subscribers.isEmpty());
        ScriptedServer other = serveAsPrimary();
        String message = "other 127.0.0.1 1 127.0.0.1 "
                + HostAndPort.from(other.address()).getPort();

        sentinel.subscribers
                .get(0)
                .send("*3\r\n$7\r\nmessage\r\n$14\r\n+switch-master\r\n$" + message.length() + "\r\n" + message
                        + "\r\n");
        sentinel.subscribers.get(0).close();

        Waiting.await("the message has been read", PATIENCE, () -> sentinel.subscribers.size() > 1);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(other.connections()).isZero();
    }

    @Test
    void v2_aMessageAboutALaterSwitchHasTheSentinelsAsked() throws Exception {
        ScriptedServer former = serveAsPrimary();
        Sentinel sentinel = new Sentinel(former, 1);
        RedisBackend backend = connectAndListen(sentinel);
        ScriptedServer between = serveAsPrimary();
        ScriptedServer next = serveAsPrimary();
        sentinel.primary = HostAndPort.from(between.address());

        sentinel.announce(next);

        Waiting.await(
                "holds are renewed at the new primary",
                PATIENCE,
                () -> !context.lostConnections().isEmpty());
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        assertThat(hasScript(next)).isTrue();
    }

    @Test
    void s5_aReleaseThatTheFormerPrimaryCannotHaveReceivedReportsALoss() throws Exception {
        ScriptedServer former = serveAsPrimary();
        Sentinel sentinel = new Sentinel(former, 1);
        RedisBackend backend = connect(sentinel);
        Grant held = ((Attempt.Granted) attempt(backend, PATIENCE)).grant();
        ScriptedServer next = serveAsPrimary();
        backend.disconnect();
        former.close();
        sentinel.primary = HostAndPort.from(next.address());
        sentinel.epoch.incrementAndGet();

        Grant.Release outcome = held.release(Deadline.after(PATIENCE, LockClock.system()));

        assertEquals(Grant.Release.GONE, outcome);
        assertThat(hasScript(next)).isTrue();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void s5_aReleaseThatTheFormerPrimaryMayHaveReceivedReportsNoLoss(boolean together) throws Exception {
        ScriptedServer next = serveAsPrimary();
        List<Sentinel> sentinels = new CopyOnWriteArrayList<>();
        AtomicBoolean holds = new AtomicBoolean();
        ScriptedServer former = serve((asker, command) -> {
            if (command.get(0).equals("ROLE")) {
                asker.send(array("master"));
            } else if (!command.get(0).startsWith("EVAL") || !holds.get()) {
                asker.succeed(command);
            } else {
                Waiting.await(
                        "the backend listens",
                        PATIENCE,
                        () -> !sentinels.get(0).subscribers.isEmpty());
                sentinels.get(0).announce(next);
            }
        });
        sentinels.add(new Sentinel(former, 1));
        RedisBackend backend = connect(sentinels.get(0));
        Grant held = ((Attempt.Granted) attempt(backend, PATIENCE)).grant();
        holds.set(true);
        Deadline deadline = Deadline.after(PATIENCE, LockClock.system());

        Grant.Release outcome =
                together ? backend.releaseAll(List.of(held), deadline).get(held) : held.release(deadline);

        assertEquals(Grant.Release.RELEASED, outcome);
        assertThat(hasScript(next)).isTrue();
        assertThat(backend.remembersEnds()).isTrue();
    }

    @Test
    void v2_aBrokenSubscriptionIsReplacedAndTheSentinelsAreAskedAgain() throws Exception {
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        RedisBackend backend = connect(sentinel);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the backend listens", PATIENCE, () -> !sentinel.subscribers.isEmpty());
        ScriptedServer next = serveAsPrimary();

        sentinel.primary = HostAndPort.from(next.address());
        sentinel.epoch.incrementAndGet();
        sentinel.subscribers.get(0).close();

        Waiting.await("the backend follows without a message", PATIENCE, () -> {
            boolean granted = succeeds(backend);
            return granted && hasScript(next);
        });
    }

    // Errors

    @Test
    void api_aNameThatNoSentinelKnowsIsRefusedAtOnce() {
        ScriptedServer knowsNone = serve((asker, command) -> asker.send(
                command.get(0).equals("PING")
                        ? "+PONG\r\n"
                        : command.get(1).equalsIgnoreCase("master")
                                ? "-ERR No such master with that name\r\n"
                                : "*-1\r\n"));
        RedisBackend backend = connect(knowsNone.address());

        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("lock \"job\"")
                .hasMessageContaining("No such master with that name: \"locks\"")
                .hasMessageContaining(knowsNone.address());
    }

    @Test
    void api_aSentinelThatRefusesTheCredentialsIsARefusal() {
        ScriptedServer refuses = serve((asker, command) -> asker.send("-NOAUTH Authentication required.\r\n"));
        RedisBackend backend = connect(refuses.address());

        assertThatThrownBy(() -> attempt(backend, PATIENCE))
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("NOAUTH")
                .hasMessageContaining(refuses.address());
    }

    @Test
    void v8_deadSentinelsAreNoRefusal() throws IOException {
        // Nobody listens at its port, and nobody else gets the port.
        try (Socket bound = new Socket()) {
            bound.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
            String address = bound.getLocalAddress().getHostAddress() + ":" + bound.getLocalPort();
            RedisBackend backend = connect(address);

            assertThatThrownBy(() -> attempt(backend, PATIENCE))
                    .isNotInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("cannot connect to " + address);
        }
    }

    // Credentials

    @Test
    void api_sentinelsAndPrimaryHaveCredentialsOfTheirOwn() throws InterruptedException {
        ScriptedServer primary = serveAsPrimary();
        Sentinel sentinel = new Sentinel(primary, 1);
        RedisBackend backend = started(RedisBackend.connect("redis-sentinel://me:mine@" + sentinel.server.address()
                + "/locks?database=3&sentinelUser=watcher&sentinelPassword=se%26en"));

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        assertThat(primary.commands().subList(0, 3))
                .containsExactly(List.of("AUTH", "me", "mine"), List.of("SELECT", "3"), List.of("ROLE"));
        assertThat(sentinel.server.commands().subList(0, 2))
                .containsExactly(List.of("AUTH", "watcher", "se&en"), List.of("PING"));
    }

    @Test
    void api_theCredentialsOfThePrimaryDoNotReachTheSentinels() throws InterruptedException {
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        String uri = "redis-sentinel://" + sentinel.server.address() + "/locks";
        RedisBackend backend = started(RedisBackend.builder(uri)
                .clientConfig(DefaultJedisClientConfig.builder()
                        .user("me")
                        .password("mine")
                        .clientName("locks")
                        .database(3)
                        .build())
                .build());

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        assertThat(sentinel.server.commands().get(0)).containsExactly("PING");
    }

    @Test
    void api_sentinelConfigSetsTheConnectionsToSentinels() throws InterruptedException {
        ScriptedServer primary = serveAsPrimary();
        Sentinel sentinel = new Sentinel(primary, 1);
        String uri = "redis-sentinel://" + sentinel.server.address() + "/locks";
        RedisBackend backend = started(RedisBackend.builder(uri)
                .sentinelConfig(DefaultJedisClientConfig.builder()
                        .password("theirs")
                        .clientName("watcher")
                        .build())
                .build());

        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));

        assertThat(sentinel.server.commands().subList(0, 2))
                .containsExactly(List.of("AUTH", "theirs"), List.of("CLIENT", "SETNAME", "watcher"));
        assertThat(primary.commands().get(0)).containsExactly("ROLE");
    }

    // The end

    @Test
    void v5_closingEndsAllConnectionsAndThreads() throws InterruptedException {
        ScriptedServer primary = serveAsPrimary();
        Sentinel sentinel = new Sentinel(primary, 1);
        RedisBackend backend = connect(sentinel);
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the backend listens", PATIENCE, () -> threads("sentinel") == 1);

        backend.close();

        Waiting.await("no thread is left", PATIENCE, () -> threads("") == 0);
        for (ScriptedServer server : List.of(primary, sentinel.server)) {
            Waiting.await("no connection is left", PATIENCE, () -> server.ended() == server.connections());
        }
        assertThatThrownBy(() -> attempt(backend, PATIENCE)).hasMessageContaining("closed");
        assertEquals(0, threads(""));
    }

    @Test
    void s1_aDisconnectedBackendHasNoConnectionAndOpensOthers() throws Exception {
        ScriptedServer primary = serveAsPrimary();
        Sentinel sentinel = new Sentinel(primary, 1);
        RedisBackend backend = connect(sentinel);
        Grant held = TestContender.trying(backend, "job", LEASE).acquire();
        var unused = TestContender.renewAll(backend, List.of(held), LEASE);
        Waiting.await("the backend listens", PATIENCE, () -> !sentinel.subscribers.isEmpty());

        backend.disconnect();

        for (ScriptedServer server : List.of(primary, sentinel.server)) {
            Waiting.await("no connection is left", PATIENCE, () -> server.ended() == server.connections());
        }
        assertEquals("locks", held.server());
        assertInstanceOf(Attempt.Granted.class, attempt(backend, PATIENCE));
        Waiting.await("the backend listens again", PATIENCE, () -> sentinel.subscribers.size() == 2);
    }

    // Without a backend

    private OwnConnections connections(LockClock clock, ScriptedServer... sentinels) {
        OwnConnections connections = TestNodes.connections(
                nodes -> new SentinelPrimary(
                        Stream.of(sentinels)
                                .map(each -> HostAndPort.from(each.address()))
                                .toList(),
                        "locks",
                        nodes.config(),
                        nodes),
                TestNodes.shared(
                        TestNodes.context(clock, context), ServerConnection.Check.PRIMARY, ReplicaPolicy.NONE));
        opened.add(0, connections);
        return connections;
    }

    /** The question to the silent sentinel does not end by itself, because the clock stands still. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v5_noConnectionIsLeftAlthoughASentinelIsAsked(boolean closing) throws InterruptedException {
        Sentinel sentinel = new Sentinel(serveAsPrimary(), 1);
        ScriptedServer silent = serve((asker, command) -> {});
        OwnConnections connections = connections(new TestClock(new AtomicLong()), sentinel.server, silent);
        ScriptCall call = new ScriptCall(Script.INSPECT, LockKeys.of("job", name -> name, "distlock:"));
        assertThat(connections.call(call, Deadline.after(PATIENCE, LockClock.system())))
                .hasSize(1);
        // The subscription is either to this one, or has this one asked again.
        Waiting.await("no other connection follows", PATIENCE, () -> silent.connections() == 2);

        if (closing) {
            connections.close();
        } else {
            connections.disconnect();
        }

        Waiting.await("no connection is left", PATIENCE, () -> silent.ended() == silent.connections());
    }

    @Test
    void api_sentinelsNameThePrimaryAsTheOnlyServer() throws InterruptedException {
        ScriptedServer primary = serveAsPrimary();
        Sentinel sentinel = new Sentinel(primary, 1);
        OwnConnections connections = connections(LockClock.system(), sentinel.server);
        LockKeys keys = LockKeys.of("job", name -> name, "distlock:");

        List<Connections.Server> servers = connections.servers(Deadline.after(PATIENCE, LockClock.system()));

        assertThat(servers).hasSize(1);
        assertEquals(primary.address(), servers.get(0).address());
        assertThat(servers.get(0).failsOver()).isTrue();
        assertThat(servers.get(0).keeps(keys.lock())).isTrue();
        assertEquals("locks", connections.server(keys));
        assertThat(connections.isOneServer()).isTrue();
        assertThat(connections.followsFailovers()).isTrue();
        assertThat(connections).hasToString("the primary \"locks\"");
    }
}
