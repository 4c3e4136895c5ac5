package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Validity;
import java.util.List;
import java.util.OptionalLong;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import redis.clients.jedis.RedisClient;

/** The permissions that {@code docs/redis.md} lists, with the key prefix of one tenant in both patterns. */
class TenantPermissionsTest extends ContenderTest {
    private void permit(String prefix) {
        changeRights("reset");
        changeRights(DocumentedRights.of(prefix).toArray(String[]::new));
    }

    private RedisBackend tenant(boolean suppliedClient, RedisClient client, String prefix) {
        String uri = "redis://" + name + ":secret@" + SERVER.address();
        RedisBackendBuilder builder = suppliedClient ? RedisBackend.builder(client) : RedisBackend.builder(uri);
        return TestContender.started(builder.keyPrefix(prefix).build());
    }

    @ParameterizedTest
    @CsvSource({"tenant:, false", "distlock:tenant:, true", "{tenant}:, false"})
    void api_onePatternForKeysAndOneForChannelsSuffice(String prefix, boolean suppliedClient) throws Exception {
        permit(prefix);
        try (RedisClient client = RedisClient.create("redis://" + name + ":secret@" + SERVER.address());
                RedisBackend mine = tenant(suppliedClient, client, prefix);
                RedisBackend sameTenant = tenant(suppliedClient, client, prefix)) {
            TestContender holder = waiting(mine);
            Grant held = holder.acquire();
            TestContender waiter = queuedWaiter(sameTenant);
            await("it is subscribed", () -> waiter.wakeUps.get() == 1);

            waiter.heartbeat();
            assertInstanceOf(Validity.class, holder.renew(held, LEASE));
            holder.renewLater(held, LEASE);
            release(held);
            await("it is notified", () -> waiter.wakeUps.get() == 2);
            waiter.acquire();
            TestContender withdrawn = queuedWaiter(mine);
            withdrawn.withdraw();
            assertEquals(
                    1, mine.inspect(name, TestContender.deadline()).holders().size());
            assertEquals(
                    1,
                    mine.forceRelease(name, OptionalLong.empty(), TestContender.deadline())
                            .size());
            assertTrue(admin.keys("*" + name + "*").stream().allMatch(key -> key.startsWith(prefix)));
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void api_thePatternsSufficeForReadersWritersAndPermits(boolean suppliedClient) throws Exception {
        permit("tenant:");
        try (RedisClient client = RedisClient.create("redis://" + name + ":secret@" + SERVER.address());
                RedisBackend tenant = tenant(suppliedClient, client, "tenant:")) {
            for (LockMode mode : List.of(LockMode.WRITE, LockMode.permits(2, 3))) {
                String named = mode.kind() + name;
                TestContender holder = TestContender.waiting(tenant, named, mode, LEASE);
                Grant held = holder.acquire();
                TestContender next = TestContender.waiting(tenant, named, mode, LEASE);
                next.findBusy();
                TestContender leaves = TestContender.waiting(tenant, named, mode, LEASE);
                leaves.findBusy();

                leaves.withdraw();
                next.heartbeat();
                holder.renewLater(held, LEASE);
                if (mode.equals(LockMode.WRITE)) {
                    held = held.downgrade(TestContender.deadline()).orElseThrow();
                    assertInstanceOf(Validity.class, holder.renew(held, LEASE));
                }
                release(held);

                assertEquals(
                        1,
                        tenant.inspect(named, TestContender.deadline())
                                .holders()
                                .size());
                assertEquals(
                        1,
                        tenant.forceRelease(named, OptionalLong.empty(), TestContender.deadline())
                                .size());
                assertTrue(admin.keys("*" + named + "*").stream().allMatch(key -> key.startsWith("tenant:")));
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"tenant:, other:", "distlock:tenant:, distlock:", "{tenant}:, {other}:"})
    void api_thePatternsExcludeTheLocksOfOthers(String prefix, String otherPrefix) throws Exception {
        permit(prefix);
        try (RedisClient client = RedisClient.create("redis://" + name + ":secret@" + SERVER.address());
                RedisBackend foreign = tenant(false, client, otherPrefix)) {

            assertThrows(RequestRefusedException.class, waiting(foreign)::attempt);
        }
    }
}
