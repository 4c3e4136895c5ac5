package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockStatus;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a backend asks after the answers of a server, and what it does with messages. */
class BackendAnswersTest extends ScriptedTest {
    private static final String NAME = "name";
    private static final ErrorReply MIGRATES = new ErrorReply("TRYAGAIN slot", new IllegalStateException());
    private static final List<?> DONE = List.of();
    private static final String OWNER = "host\t7\tclient\t";

    @BeforeEach
    void beFree() {
        answer(Script.ACQUIRE_FREE, List.of(8L));
        answer(Script.WITHDRAW, DONE);
    }

    private TestContender waiting() {
        return TestContender.waiting(backend, NAME, LEASE);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    /** Answers with messages to waiters. One without a channel says that the script has not finished. */
    private static List<?> withMessages(ScriptCall call, String... channels) {
        List<Object> reply = new ArrayList<>();
        reply.add(call.arguments().get(0));
        for (String channel : channels) {
            reply.add(List.of(bytes(channel), bytes("granted value 9")));
        }
        return call.answer(reply);
    }

    // Inspection

    private List<?> page(String next, String waiter) {
        byte[] entry = bytes("1\tlock\t1\tvalue\tchannel\t3000\t" + OWNER + waiter);
        return List.of(0L, bytes(next), entry, bytes("5"));
    }

    @Test
    void api_anInspectionReadsAllPages() throws InterruptedException {
        answers.put(Script.INSPECT, call -> argument(1).equals("0") ? page("5", "a") : page("", "b"));

        LockStatus status = backend.inspect(NAME, TestContender.deadline());

        assertThat(status.lockName()).isEqualTo(NAME);
        assertThat(status.waiters())
                .extracting(waiter -> waiter.owner().thread())
                .containsExactly("a", "b");
        assertThat(argument(1)).isEqualTo("5");
    }

    @Test
    void v4_anInspectionEndsIfThePagesDoNot() throws InterruptedException {
        answer(Script.INSPECT, page("5", "a"));

        var unused = backend.inspect(NAME, TestContender.deadline());

        assertThat(requests(Script.INSPECT)).isEqualTo(2);
    }

    @ParameterizedTest
    @CsvSource({"0, ''", "8, 8"})
    void api_aForcedReleaseMayNameABase(long base, String sent) throws InterruptedException {
        answer(Script.FORCE_RELEASE, List.of(bytes("value\t1\tlock\t1\t8\t" + OWNER + "a"), 2_000L));
        OptionalLong named = base == 0 ? OptionalLong.empty() : OptionalLong.of(base);

        assertThat(backend.forceRelease(NAME, named, TestContender.deadline()))
                .extracting(holder -> holder.owner().thread())
                .containsExactly("a");

        assertThat(argument(1)).isEqualTo(sent);
    }

    @Test
    void v12_aRequestForReleaseSaysHowManyHoldersThereAre() throws InterruptedException {
        answer(Script.REQUEST_RELEASE, List.of(3L));

        assertThat(backend.requestRelease(NAME, waiting().owner(), TestContender.deadline()))
                .isEqualTo(3);
    }

    @Test
    void v12_aBackendReadsTheRequestsOfItsHolds() throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.READ_REQUEST, List.of(bytes("10"), bytes("1\t8\t9\tid\t" + OWNER + "a")));

        assertThat(backend.requestedReleases(List.of(held), TestContender.deadline()))
                .hasEntrySatisfying(held, request -> assertThat(request.id()).isEqualTo("id"));
    }

    @Test
    void v5_holdsThatAreReleasedTogetherHaveAnOutcome() throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.RELEASE, DONE);

        assertThat(backend.releaseAll(List.of(held), TestContender.deadline()))
                .isEqualTo(Map.of(held, Grant.Release.RELEASED));
    }

    @Test
    void s7_aContenderOfAClientThatRepeatsRequestsLeavesATombstone() throws InterruptedException {
        redis.sendsAgain = true;
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));
        answer(Script.RELEASE, DONE);

        var unused = waiting().acquire().release(TestContender.deadline());

        assertThat(requests(Script.ACQUIRE_FREE)).isZero();
        assertThat(argument(2)).as("whether it leaves a tombstone").isEqualTo("1");
    }

    @Test
    void api_aClientThatMayNotWaitIsRefused() {
        backend.requireMayWait();
        redis.mayNotWait = true;

        assertThatThrownBy(backend::requireMayWait).hasMessage("no contender may wait");
    }

    @Test
    void api_aBackendWithMappedKeysListsNoNames() {
        try (RedisBackend mapped =
                new RedisBackend(given -> redis, name -> name, "distlock:", LEASE, false, ForeignTurns.NONE)) {
            assertThat(mapped.capabilities())
                    .doesNotContain(Capability.LIST)
                    .hasSize(backend.capabilities().size() - 1);
            assertThatThrownBy(() -> mapped.list("", Optional.empty(), TestContender.deadline()))
                    .hasMessageStartingWith("locks cannot be listed");
        }
    }

    @Test
    void api_aDeploymentWithoutServersHasNoNames() throws InterruptedException {
        redis.servers = List.of();

        LockNames page = backend.list("", Optional.empty(), TestContender.deadline());

        assertThat(page.names()).isEmpty();
        assertThat(page.next()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0.000999999S", "PT1H0.000000001S"})
    void api_theTimeOfAHealthCheckIsBounded(Duration timeout) {
        assertThatThrownBy(() -> backend.checkHealth(timeout)).hasMessageStartingWith("timeout must be from 1 ms to");
    }

    @ParameterizedTest
    @ValueSource(strings = {"PT0.001S", "PT1H"})
    void api_aHealthCheckOfAServerThatCannotBeAskedHasAFinding(Duration timeout) throws InterruptedException {
        assertThat(backend.checkHealth(timeout)).isNotEmpty();
    }

    @Test
    void api_aHealthCheckNeedsAClient() {
        try (RedisBackend idle = new RedisBackend(given -> redis, null, "distlock:", LEASE, false, ForeignTurns.NONE)) {
            assertThatThrownBy(() -> idle.checkHealth(LEASE)).hasMessageContaining("no client has started");
        }
    }

    // While a cluster migrates the slot

    @Test
    void f1_aReleaseThatTheMigrationRefusesIsSentForTheLockKeyAlone() throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.RELEASE_ALONE, List.of(0L));
        answer(Script.RELEASE, MIGRATES);
        answer(Script.END_ALONE, DONE);

        assertThat(held.release(TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void f1_aRequestWithoutAVariantFails() {
        answer(Script.INSPECT, MIGRATES);

        assertThatThrownBy(() -> backend.inspect(NAME, TestContender.deadline()))
                .isSameAs(MIGRATES);
    }

    @Test
    void f1_onlyTheRefusedRenewalsOfABatchAreSentAgain() throws InterruptedException {
        TestContender first = TestContender.waiting(backend, "first", LockMode.READ, LEASE);
        TestContender second = TestContender.waiting(backend, "second", LockMode.READ, LEASE);
        answer(Script.ACQUIRE_SHARED, List.of(1L, 8L, 0L));
        Grant renewed = first.acquire();
        Grant migrating = second.asIfGrantedBefore(Duration.ofMinutes(31), second.acquire(), LEASE);
        answers.put(Script.RENEW_SHARED, call -> switch (call.keys().size()) {
            case 3 -> MIGRATES;
            default -> List.of(call.lockName().equals("first") ? 1L : 0L);
        });

        List<Object> answered = TestContender.renewAll(backend, List.of(renewed, migrating), LEASE);

        assertThat(answered.get(0)).isInstanceOf(Validity.class);
        assertThat(answered.get(1)).isEqualTo("gone");
        assertThat(requests(Script.RENEW_SHARED)).isEqualTo(3);
    }

    // Messages of scripts

    private void releaseWith(ScriptedRedis.Answers released) throws InterruptedException {
        releaseWith(released, TestContender.deadline());
    }

    private void releaseWith(ScriptedRedis.Answers released, Deadline deadline) throws InterruptedException {
        Grant held = waiting().acquire();
        answer(Script.RELEASE_ALONE, List.of(0L));
        answers.put(Script.RELEASE, released);

        assertThat(held.release(deadline)).isEqualTo(Grant.Release.RELEASED);
    }

    @Test
    void v2_theClientPublishesTheMessagesOfAnAnswer() throws InterruptedException {
        releaseWith(call -> withMessages(call, "channel"));

        assertThat(redis.published).extracting(ScriptCall::script).containsExactly(Script.RELEASE);
    }

    @Test
    void v6_anAnswerWithoutMessagesPublishesNothing() throws InterruptedException {
        releaseWith(call -> DONE);

        assertThat(redis.published).isEmpty();
    }

    @Test
    void v3_aScriptThatHasStoppedIsContinuedUntilItHasFinished() throws InterruptedException {
        AtomicInteger left = new AtomicInteger(2);
        answers.put(
                Script.SERVE,
                call -> left.decrementAndGet() > 0 ? withMessages(call, "one", "") : withMessages(call, "two"));

        releaseWith(call -> withMessages(call, ""));

        assertThat(requests(Script.SERVE)).isEqualTo(2);
        assertThat(redis.published).extracting(ScriptCall::script).containsExactly(Script.SERVE, Script.SERVE);
    }

    @Test
    void v4_aScriptThatHasStoppedIsNotContinuedAfterTheDeadline() throws InterruptedException {
        releaseWith(call -> withMessages(call, ""), Deadline.after(Duration.ZERO, LockClock.system()));

        assertThat(requests(Script.SERVE)).isZero();
    }

    @Test
    void s5_aReleaseIsConfirmedAlthoughItsWaitersCannotBeServed() throws InterruptedException {
        answer(Script.SERVE, new IllegalStateException("broken"));

        releaseWith(call -> withMessages(call, ""));

        assertThat(requests(Script.SERVE)).isEqualTo(1);
    }

    @Test
    void v7_anInterruptWhileWaitersAreServedIsKept() throws InterruptedException {
        answers.put(Script.SERVE, call -> {
            throw new InterruptedException();
        });

        releaseWith(call -> withMessages(call, ""));

        assertThat(Thread.interrupted()).isTrue();
    }

    // Messages to contenders

    @Test
    void v2_aConfirmedSubscriptionWakesAllWaiters() throws InterruptedException {
        answer(Script.ACQUIRE_FREE, DONE);
        answer(Script.ACQUIRE, List.of(0L, 60_000L, 5L));
        TestContender waiter = waiting();
        waiter.findBusy();
        redis.canListen = true;

        var unused = backend.hearsMessages();

        Waiting.await("a signal", PATIENCE, () -> waiter.wakeUps.get() == 1);
    }

    private TestContender queued(TestContender contender) throws InterruptedException {
        redis.canListen = true;
        Waiting.await("the subscription", PATIENCE, () -> backend.hearsMessages() && redis.isSubscribed);
        answer(Script.ACQUIRE_FREE, DONE);
        answer(Script.ACQUIRE, List.of(0L, 60_000L, 5L));
        contender.findBusy();
        return contender;
    }

    @Test
    void v2_aMessageWakesItsWaiter() throws InterruptedException {
        TestContender waiter = queued(waiting());

        redis.send("granted " + waiter.value() + " 9");

        assertThat(waiter.wakeUps).hasValue(1);
        assertThat(waiter.acquire().fencingBase()).isEqualTo(9);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "granted",
                "granted VALUE",
                "granted VALUE 9 9",
                "granted VALUE nine",
                "granted VALUE 1234567890123456789",
                "granted other 9",
                "given VALUE 9",
                "kept",
                "kept VALUE 9",
                "kept other",
                "near other",
                "wanted VALUE",
                "wanted other",
                "other VALUE"
            })
    void v2_anotherMessageIsIgnored(String message) throws InterruptedException {
        TestContender waiter = queued(waiting());

        redis.send(message.replace("VALUE", waiter.value()));

        assertThat(waiter.wakeUps).hasValue(0);
        assertThat(waiter.timesWanted).hasValue(0);
    }

    @Test
    void v11_aMessageSaysThatAnotherContenderWantsAStickyLock() throws InterruptedException {
        TestContender holder = queued(TestContender.sticky(backend, NAME, LEASE));

        redis.send("wanted " + holder.value());

        assertThat(holder.timesWanted).hasValue(1);
        redis.send("wanted " + holder.value() + " 9");
        assertThat(holder.timesWanted).hasValue(1);
        holder.forget();
        redis.send("wanted " + holder.value());
        assertThat(holder.timesWanted).hasValue(1);
    }

    @Test
    void v1_onlyAContenderThatListensSendsHeartbeats() throws InterruptedException {
        var unused = queued(waiting());
        redis.sent.clear();

        waiting().heartbeat();

        assertThat(redis.sent).isEmpty();
        assertThat(redis.checks).hasValue(0);
    }

    @Test
    void v11_theHeartbeatOfAStickyHoldChecksTheSubscription() throws InterruptedException {
        TestContender holder = queued(TestContender.sticky(backend, NAME, LEASE));
        answer(Script.ACQUIRE, List.of(1L, 8L, 0L, 0L));
        holder.acquire();
        redis.sent.clear();

        holder.heartbeat();

        assertThat(redis.checks).hasValue(1);
        assertThat(redis.sent).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0, 0", "1, 1", "512, 1", "513, 2", "1024, 2"})
    void v5_manyRequestsTravelInChunks(int requests, int chunks) {
        List<List<Integer>> all = RedisBackend.chunks(Collections.nCopies(requests, 7));

        assertThat(all).hasSize(chunks).allMatch(chunk -> chunk.size() <= 512);
        assertThat(all.stream().mapToInt(List::size).sum()).isEqualTo(requests);
    }

    @Test
    void v8_aHoldBelongsToTheServerOfItsLock() throws InterruptedException {
        assertThat(waiting().acquire().server()).isEqualTo("server");
    }

    // The next server

    @Test
    void v1_endsAreRememberedOnlyIfAnotherServerMayTakeThePlaceOfTheFirst() {
        assertThat(backend.remembersEnds()).isFalse();

        redis.followsFailovers = true;

        assertThat(backend.remembersEnds()).isTrue();
    }

    @Test
    void v1_anotherServerThatIsReplacedGetsNoWithdrawals() throws InterruptedException {
        redis.followsFailovers = true;
        answers.put(Script.WITHDRAW, call -> withMessages(call, "channel"));
        queued(waiting()).withdraw();
        redis.published.clear();

        context.get().serverReplaced("another");
        context.get().serverReplaced("server");

        Waiting.await("the message of the withdrawal", PATIENCE, () -> !redis.published.isEmpty());
        assertThat(requests(Script.WITHDRAW)).isEqualTo(2);
    }

    // Ends

    @Test
    void v5_aBackendThatIsDisconnectedEndsItsConnections() throws InterruptedException {
        var unused = queued(waiting());

        backend.disconnect();

        assertThat(redis.disconnected).isTrue();
        assertThat(redis.closed).isFalse();
        Waiting.await("no subscription", PATIENCE, () -> backend.hearing() == null);
    }

    @Test
    void v5_aBackendThatIsClosedEndsItsConnections() throws InterruptedException {
        var unused = queued(waiting());

        backend.close();

        assertThat(redis.closed).isTrue();
        Waiting.await("no subscription", PATIENCE, () -> backend.hearing() == null);
    }
}
