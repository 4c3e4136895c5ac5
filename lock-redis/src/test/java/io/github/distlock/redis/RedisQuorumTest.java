package io.github.distlock.redis;

import static io.github.distlock.redis.QuorumFixture.asked;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockOptions;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.RedisServers;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import redis.clients.jedis.params.SetParams;

/** A quorum of three servers, of which single ones fail, restart and lose their data. */
@Order(2)
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers for whole classes")
class RedisQuorumTest {
    private static final Duration PATIENCE = Duration.ofSeconds(30);
    /** More than a busy machine needs for a single try. */
    private static final Duration REQUEST = Duration.ofSeconds(5);
    /** So long that holds outlive the restart of a server, and that no renewal comes into play. */
    private static final Duration LEASE = Duration.ofSeconds(60);
    /** Longer than any test waits. */
    private static final Duration LONGEST_LEASE = Duration.ofMinutes(5);
    /** So short that a test can wait for it. */
    private static final Duration SHORT = Duration.ofSeconds(1);

    /**
     * Of a client with one caller: for requests and their connections, and for a renewal. Each attempt may not add one.
     */
    private static final int FEW_THREADS = 40;

    private static final Pattern EVALS = Pattern.compile("cmdstat_eval(?:sha)?:calls=(\\d+)");

    private static RedisServers servers;
    private static RedisServer first;
    private static RedisServer second;
    private static RedisServer third;

    private final String name = "lock-" + UUID.randomUUID();
    private final String key = "distlock:" + name;
    private final List<AutoCloseable> opened = new ArrayList<>();
    private final LockClient one = client("one", trusting(), LEASE);
    private final LockClient other = client("other", trusting(), LEASE);

    @BeforeAll
    static void start() {
        servers = QuorumFixture.startVoting(QuorumFixture.SERVERS);
        first = servers.members().get(0);
        second = servers.members().get(1);
        third = servers.members().get(2);
    }

    @AfterAll
    static void stop() {
        servers.close();
    }

    @BeforeEach
    void letAllVote() {
        servers.members().stream().filter(server -> !server.isRunning()).forEach(server -> server.restart(true));
        servers.members().forEach(QuorumFixture::letVote);
    }

    @AfterEach
    void closeAll() throws Exception {
        servers.resume();
        for (AutoCloseable each : opened) {
            each.close();
        }
    }

    private static RedisQuorumBuilder trusting() {
        return QuorumFixture.QuorumFactory.builder(servers.address()).longestLease(LONGEST_LEASE);
    }

    private LockClient client(String client, RedisQuorumBuilder builder, Duration lease) {
        return client(client, builder, lease, REQUEST);
    }

    private LockClient client(String client, RedisQuorumBuilder builder, Duration lease, Duration requestTimeout) {
        LockClient created = LockClient.builder(builder.build())
                .name(client)
                .requestTimeout(requestTimeout)
                .defaultOptions(lease(lease))
                .build();
        opened.add(created);
        return created;
    }

    private static LockOptions lease(Duration lease) {
        return LockOptions.defaults().renewedLease(lease);
    }

    private static void set(RedisServer server, String key, String value) {
        asked(server, admin -> admin.set(key, value, SetParams.setParams().ex(3_600)));
    }

    private boolean hasKey(RedisServer server) {
        return asked(server, admin -> admin.exists(key));
    }

    private void awaitKey(RedisServer server, boolean there) {
        Waiting.await("the key of " + server.address() + ": " + there, PATIENCE, () -> hasKey(server) == there);
    }

    /** An acquire or a release returns with two answers, while the third request may still be on its way. */
    private void awaitKeys(boolean there) {
        servers.members().forEach(server -> awaitKey(server, there));
    }

    private void expectNoMajority(LockClient client, String words) {
        assertThatThrownBy(() -> client.lock(name).tryAcquire())
                .isInstanceOf(LockException.class)
                .hasMessageContaining("no majority of the 3 Redis servers")
                .hasMessageContaining(words);
    }

    /** Holds the lock on the first two servers alone. */
    private LockHandle heldWithoutThird() throws InterruptedException {
        third.kill();
        LockHandle held = one.lock(name).acquire();
        third.restart(true);
        return held;
    }

    @Test
    void s1_aServerThatHasLostItsDataGivesNoVote() throws InterruptedException {
        LockHandle held = heldWithoutThird();

        second.restart(false);

        assertThat(other.lock(name).tryAcquire()).isEmpty();
        assertThat(hasKey(third)).isFalse();
        held.close();
        first.kill();
        expectNoMajority(other, second.address() + ": it has restarted or lost its data, so it votes again in ");
    }

    @Test
    void s1_aServerThatWasFlushedGivesNoVote() throws InterruptedException {
        LockHandle held = heldWithoutThird();

        asked(second, admin -> admin.flushAll());

        assertThat(other.lock(name).tryAcquire()).isEmpty();
        held.close();
    }

    @Test
    void s1_aServerWhoseClockWasSetBackGivesNoVote() throws InterruptedException {
        LockHandle held = heldWithoutThird();
        String tomorrow = (System.currentTimeMillis() + Duration.ofDays(1).toMillis()) * 1_000 + "\t";

        asked(second, admin -> admin.del(key));
        asked(second, admin -> admin.set(QuorumFixture.SINCE, tomorrow));

        assertThat(other.lock(name).tryAcquire()).isEmpty();
        held.close();
    }

    @Test
    void s1_aRestartCountsAsALossByDefault() throws InterruptedException {
        List<String> uris = servers.members().stream().map(RedisServer::uri).toList();
        LockClient wary = client("wary", RedisQuorum.builder(uris).longestLease(SHORT), SHORT);
        Waiting.await("all servers vote", PATIENCE, () -> isGranted(wary));

        second.restart(true);
        third.kill();

        assertThatThrownBy(() -> wary.lock(name).tryAcquire())
                .hasMessageContaining(second.address() + ": it has restarted or lost its data");
        Waiting.await("the restarted server votes again", PATIENCE, () -> isGranted(wary));
    }

    private boolean isGranted(LockClient client) {
        try {
            Optional<LockHandle> handle = client.lock(name).tryAcquire();
            handle.ifPresent(LockHandle::close);
            return handle.isPresent();
        } catch (LockException e) {
            return false;
        }
    }

    @Test
    void s1_aServerThatHasStoredItsDataVotesAtOnce() throws InterruptedException {
        LockHandle held = heldWithoutThird();

        second.restart(true);

        assertThat(other.lock(name).tryAcquire()).isEmpty();
        assertThat(held.release()).isEqualTo(Release.RELEASED);
        // A majority has answered. What the third server was asked for may still be under way.
        awaitKey(second, false);
        awaitKey(third, false);
        first.kill();
        // The third server may get the request of the last try only now, and keeps its vote until that is given back.
        other.lock(name).tryAcquire(PATIENCE).orElseThrow().close();
    }

    @Test
    void v1_aServerVotesAgainAfterTheLongestLease() throws InterruptedException {
        LockClient brief = client("brief", trusting().longestLease(SHORT), SHORT);
        third.kill();

        second.restart(false);

        assertThat(isGranted(brief)).isFalse();
        Waiting.await("the server votes again", PATIENCE, () -> isGranted(brief));
    }

    @Test
    void s1_aMajorityRenewsAHoldAndAMinorityDoesNot() throws InterruptedException {
        Duration lease = SHORT.multipliedBy(6);
        LockHandle held = one.lock(name, lease(lease)).acquire();
        third.kill();

        Waiting.letPass(lease.plus(SHORT));
        assertThat(held.state()).isEqualTo(State.HELD);

        second.kill();
        Waiting.await("the hold is lost", PATIENCE, () -> held.state() == State.LOST);
    }

    @Test
    void s1_aHoldThatAMajorityHasLostIsLost() throws InterruptedException {
        LockHandle held = one.lock(name, lease(SHORT)).acquire();
        awaitKeys(true);

        asked(first, admin -> admin.del(key));
        asked(second, admin -> admin.del(key));

        Waiting.await("the hold is lost", PATIENCE, () -> held.state() == State.LOST);
    }

    @Test
    void s3_theTokenExceedsWhatAnyServerOfTheMajorityRemembers() throws InterruptedException {
        long ahead = Duration.ofHours(1).toMillis();
        long remembered = (System.currentTimeMillis() + ahead) * 1_000;
        String token = "distlock:{" + key + "}:token";
        set(first, token, remembered + "\n");
        second.kill();

        long base = tokenOf(one) / 256;

        assertThat(base).isGreaterThan(remembered);
        String stored = asked(third, admin -> admin.get(token));
        long left = asked(third, admin -> admin.pttl(token));
        assertThat(stored).isEqualTo(base + "\n");
        assertThat(left).isGreaterThan(ahead + Duration.ofMinutes(59).toMillis());
        second.restart(true);
        first.kill();
        assertThat(tokenOf(other) / 256).isGreaterThan(base);
    }

    /** The first acquires tell the client the time of the servers. A stall can make it wrong once. */
    @Test
    void v3_anAcquireAsksEachServerOnceWhenTheirBasesAgree() {
        Waiting.await(
                "an acquire and a release cost each server two requests",
                PATIENCE,
                () -> requestsOfAnAcquireAndRelease() == 2 * QuorumFixture.SERVERS);
    }

    private long requestsOfAnAcquireAndRelease() {
        List<Long> before = servers.members().stream().map(this::requests).toList();
        var unused = isGranted(one);
        List<Long> sent = new ArrayList<>();
        // If a server is not asked, for example because it is silent, the caller tries again.
        boolean allHaveHeard = Waiting.until(REQUEST, () -> {
            sent.clear();
            for (int i = 0; i < before.size(); i++) {
                sent.add(requests(servers.members().get(i)) - before.get(i));
            }
            return sent.stream().allMatch(count -> count >= 2);
        });
        return allHaveHeard ? sent.stream().mapToLong(Long::longValue).sum() : 0;
    }

    private long requests(RedisServer server) {
        String statistics = asked(server, admin -> admin.info("commandstats"));
        return EVALS.matcher(statistics)
                .results()
                .mapToLong(found -> Long.parseLong(found.group(1)))
                .sum();
    }

    @Test
    void s3_aBaseThatAServerLacksIsStoredThereBeforeTheGrant() throws InterruptedException {
        var unused = tokenOf(one);
        String token = "distlock:{" + key + "}:token";
        long remembered = (System.currentTimeMillis() + Duration.ofMinutes(1).toMillis()) * 1_000;
        set(first, token, remembered + "\n");
        third.kill();

        long base = tokenOf(one) / 256;

        String stored = asked(second, admin -> admin.get(token));
        // Each ballot adds one. The release of the first hold may still be under way to a server, which costs a ballot.
        assertThat(base).isBetween(remembered + 1, remembered + 100);
        assertThat(stored).isEqualTo(base + "\n");
    }

    private long tokenOf(LockClient client) throws InterruptedException {
        try (LockHandle held = client.lock(name).tryAcquire(PATIENCE).orElseThrow()) {
            return held.fencingToken();
        }
    }

    @Test
    void s7_aSplitVoteIsGivenBackAtOnce() throws InterruptedException {
        set(first, key, "of another contender");
        set(second, key, "of a third contender");
        LockClient client = client("long", trusting(), LONGEST_LEASE);

        assertThat(client.lock(name).tryAcquire()).isEmpty();

        asked(first, admin -> admin.del(key));
        // The first two votes decide. So the third one may still be on its way.
        client.lock(name).tryAcquire(PATIENCE).orElseThrow().close();
    }

    /** As it is between two attempts of a waiter, which has not withdrawn. */
    @Test
    void s7_anAttemptWithoutAMajorityLeavesNothing() throws Exception {
        second.kill();
        third.kill();
        RedisQuorum quorum = trusting().build();
        opened.add(quorum);
        quorum.start(new RecordingContext("test"));
        Contender contender = quorum.contend(
                LockRequest.exclusive(name, LONGEST_LEASE, LockOwner.of("host", 7, "client", "thread")),
                new IgnoredSignals());

        assertThatThrownBy(() -> contender.attempt(Deadline.after(REQUEST, quorum.clock())))
                .hasMessageContaining("no majority of the 3 Redis servers gives its vote for lock \"" + name + "\": ");

        awaitKey(first, false);
    }

    @Test
    void api_aContenderWhoseUnansweredHoldHasEndedAcquiresAgain() throws Exception {
        RedisQuorum quorum = trusting().build();
        opened.add(quorum);
        quorum.start(new RecordingContext("test"));
        Contender contender = quorum.contend(
                LockRequest.exclusive(name, LEASE, LockOwner.of("host", 7, "client", "thread")), new IgnoredSignals());
        assertThat(contender.attempt(Deadline.after(LEASE, quorum.clock()))).isInstanceOf(Attempt.Granted.class);
        servers.members().forEach(server -> asked(server, admin -> admin.del(key)));

        assertThatThrownBy(() -> contender.attempt(Deadline.after(LEASE, quorum.clock())))
                .hasMessageContaining("has stored the fencing token");
        Attempt again = contender.attempt(Deadline.after(LEASE, quorum.clock()));

        assertThat(again).isInstanceOf(Attempt.Granted.class);
        contender.withdraw(Deadline.after(LEASE, quorum.clock()));
    }

    @Test
    void s7_aVoteThatArrivesAfterItsReleaseIsNotGranted() throws InterruptedException {
        FaultProxy slow = opened(FaultProxy.to(third));
        LockClient delayed = client("delayed", through(slow), LEASE);
        LockHandle before = delayed.lock(name).acquire();
        awaitKeys(true);
        before.close();
        awaitKeys(false);
        // Only a vote has this key. The release may be sent before the vote, which another thread sends.
        Fault late = slow.delayNextRequest(FaultProxy.containing(QuorumFixture.SINCE), REQUEST.plusSeconds(1));

        delayed.lock(name).acquire().close();

        Waiting.await("the request has arrived", PATIENCE, late::hasStruck);
        Waiting.letPass(Duration.ofMillis(100));
        awaitKey(third, false);
    }

    private FaultProxy opened(FaultProxy proxy) {
        opened.add(proxy);
        return proxy;
    }

    private static RedisQuorumBuilder through(FaultProxy toThird) {
        return QuorumFixture.QuorumFactory.builder(first.address() + "," + second.address() + "," + toThird.address())
                .longestLease(LONGEST_LEASE);
    }

    @Test
    void v2_contendersThatCollideAllGetTheLock() throws InterruptedException {
        AtomicLong grants = new AtomicLong();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < 6; i++) {
            LockClient client = client("client" + i, trusting(), SHORT.multipliedBy(3));
            threads.add(new Thread(() -> acquireOften(client, grants)));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join(PATIENCE.multipliedBy(3).toMillis());
        }

        assertThat(grants).hasValue(6 * 4);
    }

    private void acquireOften(LockClient client, AtomicLong grants) {
        try {
            for (int i = 0; i < 4; i++) {
                client.lock(name).acquire().close();
                grants.incrementAndGet();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void v8_aSilentMinorityKeepsFewThreads() throws InterruptedException {
        FaultProxy link = opened(FaultProxy.to(third));
        LockClient client = client("impatient", through(link), LEASE, SHORT);
        client.lock(name).acquire().close();
        link.silence();

        client.lock(name).acquire().close();
        Waiting.letPass(SHORT);

        int most = 0;
        for (int i = 0; i < 200; i++) {
            client.lock(name).tryAcquire().orElseThrow().close();
            most = Math.max(most, threadsOf("impatient"));
        }
        assertThat(most).isLessThanOrEqualTo(FEW_THREADS);
        link.heal();
        Waiting.await("the server votes again", PATIENCE, () -> hasVoteOfThird(client));
    }

    private boolean hasVoteOfThird(LockClient client) {
        try {
            Optional<LockHandle> handle = client.lock(name).tryAcquire();
            boolean hasVote = handle.isPresent() && hasKey(third);
            handle.ifPresent(LockHandle::close);
            return hasVote;
        } catch (LockException e) {
            return false;
        }
    }

    @Test
    void v4_aSplitVoteIsGivenBackBeforeASilentServerAnswers() throws InterruptedException {
        Duration timeout = Duration.ofSeconds(4);
        FaultProxy link = opened(FaultProxy.to(third));
        LockClient client = LockClient.builder(through(link).build())
                .name("split")
                .requestTimeout(timeout)
                .defaultOptions(lease(LEASE))
                .build();
        opened.add(client);
        client.lock("warm up").acquire().close();
        set(first, key, "of another contender");
        link.silence();
        long begun = System.nanoTime();

        assertThat(client.lock(name).tryAcquire()).isEmpty();

        assertThat(Duration.ofNanos(System.nanoTime() - begun))
                .isLessThan(timeout.multipliedBy(3).dividedBy(4));
        assertThat(hasKey(second)).isFalse();
    }

    private static int threadsOf(String client) {
        return (int) Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("distlock-" + client + "-redis"))
                .count();
    }

    @Test
    void api_theInspectorShowsWhomAMajorityHasAsTheHolder() throws InterruptedException {
        set(first, key, "of another contender");
        assertThat(one.inspector().inspect(name).holders()).isEmpty();
        asked(first, admin -> admin.del(key));

        LockHandle held = one.lock(name).acquire();
        awaitKeys(true);
        third.kill();

        assertThat(other.inspector().inspect(name).holders())
                .singleElement()
                .satisfies(holder -> assertThat(holder.owner().client()).isEqualTo("one"));
        held.close();
        assertThat(other.inspector().inspect(name).holders()).isEmpty();
    }

    @Test
    void api_itRefusesWhatAQuorumCannotKeep() {
        assertThatThrownBy(() -> one.lock(name, LockOptions.defaults().fair()))
                .hasMessage("this store cannot provide fair locks: it has no FAIR");
        assertThatThrownBy(() -> one.readWriteLock(name))
                .hasMessage("this store cannot provide read-write locks: it has no READ_WRITE");
        assertThatThrownBy(() -> one.semaphore(name, 2))
                .hasMessage("this store cannot provide semaphores: it has no PERMITS");
        assertThatThrownBy(() -> one.lock(name, lease(Duration.ofMinutes(9))))
                .hasMessage("lease must be at most PT5M on this store, but was PT9M");
        assertThatThrownBy(() -> one.lock(name, lease(SHORT).minimumHold(Duration.ofMinutes(9))))
                .hasMessage("minimumHold must be at most PT5M on this store, but was PT9M");
    }

    @Test
    void s14_aHoldIsExtendedByNoMoreThanTheLongestLease() throws Exception {
        LockHandle held =
                one.lock(name, LockOptions.defaults().fixedLease(SHORT)).acquire();

        held.extend(Duration.ofMinutes(4));

        assertThat(held.remaining()).isGreaterThan(Duration.ofMinutes(3));
        assertThatThrownBy(() -> held.extend(Duration.ofMinutes(5)))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessage("time must be at most PT4M42S on this store, but was PT5M");
        held.close();
    }

    @Test
    void api_theBuilderRefusesBadInput() {
        String uri = "redis://:secret@host1";

        assertThatThrownBy(() -> RedisQuorum.connect(List.of(uri, uri.replace('1', '2'))))
                .hasMessage("a quorum needs 3, 5 or 7 servers, but has 2");
        assertThatThrownBy(() -> RedisQuorum.connect(List.of(uri, uri.replace('1', '2'), uri + ":6379")))
                .hasMessage("uris must lead to different servers, but two are the same");
        assertThatThrownBy(
                        () -> RedisQuorum.connect(List.of(uri, uri.replace('1', '2'), "redis-cluster://:secret@host3")))
                .hasMessage("uris must lead to single servers, as redis://host:port or rediss://host:port");
        assertThatThrownBy(() -> trusting().longestLease(Duration.ofMillis(999)))
                .hasMessage("lease must be from 1 s to 24 h, but was PT0.999S");
        assertThatThrownBy(() -> trusting().longestLease(Duration.ofHours(25)))
                .hasMessage("lease must be from 1 s to 24 h, but was PT25H");
    }
}
