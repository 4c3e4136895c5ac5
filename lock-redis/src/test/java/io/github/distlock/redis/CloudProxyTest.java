package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import redis.clients.jedis.RedisClient;

/** What distlock sends to Redis passes the proxies of cloud providers. */
class CloudProxyTest {
    private static final Duration SOON = Duration.ofSeconds(20);

    @Test
    @ResourceLock(RedisFixture.Shared.SCRIPTS)
    void eachKindOfRequestPassesTheProxy() throws Exception {
        String server = RedisFixture.Shared.SERVER.address();
        try (CloudProxy proxy = new CloudProxy(server);
                RedisClient admin = RedisClient.create("redis://" + server);
                LockClient one = client(proxy);
                LockClient other = client(proxy)) {
            admin.scriptFlush();
            LockHandle first = one.lock("proxied").acquire();
            CompletableFuture<LockHandle> second = other.lock("proxied").acquireAsync();
            CompletableFuture<LockHandle> leaves = other.lock(
                            "proxied", other.lock("proxied").options().fair())
                    .acquireAsync();
            Waiting.await(
                    "two wait",
                    SOON,
                    () -> one.inspector().inspect("proxied").waiters().size() == 2);
            leaves.cancel(false);
            Waiting.await(
                    "one waits",
                    SOON,
                    () -> one.inspector().inspect("proxied").waiters().size() == 1);
            Duration before = first.remaining();
            Waiting.await("a renewal", SOON, () -> first.remaining().compareTo(before) > 0);
            assertThat(first.release()).isEqualTo(LockHandle.Release.RELEASED);
            Waiting.await("the handoff", SOON, second::isDone);
            assertThat(one.inspector().forceRelease("proxied")).hasSize(1);
            assertThat(proxy.refusals()).isEmpty();
        }
    }

    @Test
    @ResourceLock(RedisFixture.Shared.SCRIPTS)
    void eachKindOfRequestForReadersWritersAndPermitsPassesTheProxy() throws Exception {
        Duration lease = Duration.ofSeconds(30);
        String server = RedisFixture.Shared.SERVER.address();
        try (CloudProxy proxy = new CloudProxy(server);
                RedisClient admin = RedisClient.create("redis://" + server);
                RedisBackend backend = TestContender.started(backend(proxy))) {
            admin.scriptFlush();
            for (LockMode mode : List.of(LockMode.WRITE, LockMode.permits(2, 3))) {
                String name = "proxied-" + mode.kind();
                TestContender holder = TestContender.waiting(backend, name, mode, lease);
                Grant held = holder.acquire();
                TestContender next = TestContender.waiting(backend, name, mode, lease);
                next.findBusy();
                TestContender leaves = TestContender.waiting(backend, name, mode, lease);
                leaves.findBusy();
                leaves.withdraw();
                next.heartbeat();
                assertThat(holder.renew(held, lease)).isInstanceOf(Validity.class);
                holder.renewLater(held, lease);
                if (mode.equals(LockMode.WRITE)) {
                    held = held.downgrade(TestContender.deadline()).orElseThrow();
                    assertThat(holder.renew(held, lease)).isInstanceOf(Validity.class);
                }
                assertThat(held.release(TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);
                assertThat(backend.inspect(name, TestContender.deadline()).holders())
                        .hasSize(1);
                assertThat(backend.forceRelease(name, OptionalLong.empty(), TestContender.deadline()))
                        .hasSize(1);
            }
            assertThat(proxy.refusals()).isEmpty();
        }
    }

    @Test
    void theProxyRefusesAScriptForManyLocksAndGetsNoOther() throws Exception {
        Duration lease = Duration.ofSeconds(30);
        try (CloudProxy proxy = new CloudProxy(RedisFixture.Shared.SERVER.address());
                RedisBackend backend = TestContender.started(backend(proxy))) {
            List<Grant> held = new ArrayList<>();
            for (String name : List.of("proxied-one", "proxied-two")) {
                held.add(TestContender.waiting(backend, name, lease).acquire());
            }

            List<Object> answers = new ArrayList<>(TestContender.renewAll(backend, held, lease));
            answers.addAll(TestContender.renewAll(backend, held, lease));
            Map<Grant, Grant.Release> released = backend.releaseAll(held, TestContender.deadline());

            assertThat(answers).hasSize(4).allMatch(Validity.class::isInstance);
            assertThat(released.values()).hasSize(2).allMatch(Grant.Release.RELEASED::equals);
            assertThat(proxy.refusals()).containsExactly(CloudProxy.SEVERAL_SLOTS);
        }
    }

    private static RedisBackend backend(CloudProxy proxy) {
        return RedisBackend.builder("redis://" + proxy.address())
                .keyPrefix("proxied:")
                .publishFromClient()
                .build();
    }

    private static LockClient client(CloudProxy proxy) {
        return LockClient.builder(backend(proxy))
                .defaultOptions(LockOptions.defaults().renewedLease(Duration.ofSeconds(9)))
                .build();
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "HELLO 2 | unknown command 'HELLO'",
                "WAIT 1 100 | unknown command 'WAIT'",
                "EVAL return:1 0 | for redis cluster, eval/evalsha number of keys can't be negative or zero",
                "EVALSHA abc 2 a b | eval/evalsha command keys must be in same slot",
                "EVAL redis.call('GET',key) 1 a | bad lua script for redis cluster: redis.call('GET',key",
                "EVAL redis.call(command,KEYS[1]) 1 a | bad lua script for redis cluster: redis.call(command,KEYS[1]",
                "EVAL redis.call('PUBLISH',to,m) 1 a | bad lua script for redis cluster: redis.call('PUBLISH',to",
                "SCRIPT LOAD redis.call('GET',k) | bad lua script for redis cluster: redis.call('GET',k",
            })
    void theProxyRefusesWhatCloudProvidersRefuse(String command, String refusal) {
        assertThat(CloudProxy.refusal(List.of(command.split(" ", -1)))).isEqualTo(refusal);
    }

    @ParameterizedTest
    @CsvSource({"PING", "EVALSHA abc 2 {a}b a", "EVAL redis.call('TIME') 1 a", "SUBSCRIBE a"})
    void theProxyPassesWhatCloudProvidersPass(String command) {
        assertThat(CloudProxy.refusal(List.of(command.split(" ", -1)))).isNull();
    }
}
