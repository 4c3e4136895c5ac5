package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import redis.clients.jedis.params.SetParams;

/** Readers, writers and permits of one name, without an engine. */
abstract class SharedTest extends ContenderTest {
    static final Duration HANDOFF_LEASE = RedisContender.HANDOFF_LEASE;

    final TestContender waiting(RedisBackend backend, LockMode mode) {
        return TestContender.waiting(backend, name, mode, LEASE);
    }

    final TestContender trying(RedisBackend backend, LockMode mode) {
        return TestContender.trying(backend, name, mode, LEASE);
    }

    final TestContender reader(RedisBackend backend) {
        return waiting(backend, LockMode.READ);
    }

    final TestContender writer(RedisBackend backend) {
        return waiting(backend, LockMode.WRITE);
    }

    final TestContender permits(int count, int limit) {
        return waiting(one, LockMode.permits(count, limit));
    }

    @CanIgnoreReturnValue
    static TestContender queued(TestContender waiter) throws InterruptedException {
        waiter.findBusy();
        return waiter;
    }

    /** Has both backends hear messages, so that later contenders are woken by nothing but handoffs. */
    final void subscribe() throws InterruptedException {
        String another = "another-" + name;
        admin.set(
                "distlock:" + another, "a foreign value", SetParams.setParams().px(60_000));
        for (RedisBackend backend : List.of(one, other)) {
            TestContender waiter = queued(TestContender.waiting(backend, another, LEASE));
            await("it is subscribed", () -> waiter.wakeUps.get() == 1);
            // The reader takes a message only when it has woken all contenders because of the subscription.
            admin.publish(backend.channel(), "near " + waiter.value());
            await("a message has arrived", () -> waiter.wakeUps.get() == 2);
            waiter.withdraw();
        }
    }

    final String recordOf(TestContender holder) {
        return admin.zrange(holders, 0, -1).stream()
                .filter(record -> record.startsWith(holder.value() + "\t"))
                .findFirst()
                .orElseThrow();
    }

    /** Lets the lease of a reader or of permits end. */
    final void expire(TestContender holder) {
        admin.zadd(holders, serverMicros() - 1.0, recordOf(holder));
    }

    /** The lease of a reader or of permits ends in some milliseconds. */
    final void endIn(long millis, TestContender holder) {
        admin.zadd(holders, serverMicros() + millis * 1_000.0, recordOf(holder));
    }

    final void expectHolders(TestContender... expected) {
        assertEquals(
                Stream.of(expected).map(TestContender::value).collect(Collectors.toSet()),
                admin.zrange(holders, 0, -1).stream()
                        .map(record -> record.split("\t", 2)[0])
                        .collect(Collectors.toSet()));
    }

    final void expectMarker(String modeAndNumber) {
        assertEquals(
                "*\t1\t" + modeAndNumber.replace(' ', '\t'), admin.get(lock).replace("\n", "+"));
    }

    /** A foreign program holds the lock: its key has no record. */
    final void holdByForeignProgram(Duration ttl) {
        admin.set(lock, "a foreign value", SetParams.setParams().px(ttl.toMillis()));
    }
}
