package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.HaProxy;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** Own connections through an HAProxy that closes them when they are idle. Not part of the normal build. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 180, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RedisHaProxy {
    private static final Duration PATIENCE = Duration.ofSeconds(10);
    /** More than a queue has whose heartbeats are frequent. */
    private static final int WAITERS = 20;

    private static HaProxy proxy;

    private final List<LockClient> clients = new ArrayList<>();
    private final List<LockEvent> suspected = new CopyOnWriteArrayList<>();
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();

    @BeforeAll
    static void start() {
        proxy = HaProxy.before(RedisServer.startProcess(), RedisHaProxyContract.IDLE_TIME);
    }

    @AfterAll
    static void stop() {
        proxy.close();
    }

    @BeforeEach
    void captureWarnings() {
        Waiting.await(
                "SLF4J is initialized", PATIENCE, () -> LoggerFactory.getILoggerFactory() instanceof LoggerContext);
        log.start();
        ((Logger) LoggerFactory.getLogger("io.github.distlock")).addAppender(log);
    }

    @AfterEach
    void expectNoWarnings() {
        clients.forEach(LockClient::close);
        ((Logger) LoggerFactory.getLogger("io.github.distlock")).detachAppender(log);
        assertThat(log.list)
                .filteredOn(event -> event.getLevel().isGreaterOrEqual(Level.WARN))
                .isEmpty();
    }

    private LockClient client() {
        LockClient client = LockClient.builder(RedisBackend.connect("redis://" + proxy.address()))
                .listener(new LockListener() {
                    @Override
                    public void suspect(LockEvent event) {
                        suspected.add(event);
                    }
                })
                .build();
        clients.add(client);
        return client;
    }

    @Test
    void v4_acquiresAndReleasesAfterAnyPauseSucceed() {
        LockClient client = client();
        for (int i = 0; i < 5; i++) {
            LockHandle held = client.lock("paused").tryAcquire().orElseThrow();
            Waiting.letPass(Duration.ofSeconds(2 + i));

            assertEquals(LockHandle.Release.RELEASED, held.release());

            Waiting.letPass(Duration.ofSeconds(2 + i));
        }
    }

    @Test
    void s6_aHoldOutlivesTheConnectionsOfItsRenewals() throws InterruptedException {
        LockOptions options = LockOptions.defaults().renewedLease(Duration.ofSeconds(15));
        LockHandle held = client().lock("held", options).acquire();

        Waiting.letPass(Duration.ofSeconds(40));

        assertEquals(State.HELD, held.state());
        assertThat(suspected).isEmpty();
        assertEquals(LockHandle.Release.RELEASED, held.release());
    }

    @Test
    void v3_handoffsReachWaitersThatHaveWaitedForLong() throws Exception {
        LockHandle held = client().lock("waited").acquire();
        List<CompletableFuture<LockHandle>> waiters = new ArrayList<>();
        for (int i = 0; i < WAITERS; i++) {
            waiters.add(client().lock("waited").acquireAsync());
            int waiting = i + 1;
            Waiting.await(
                    "it waits",
                    PATIENCE,
                    () -> clients.get(0).inspector().inspect("waited").waiters().size() == waiting);
        }

        Waiting.letPass(Duration.ofSeconds(20));
        held.close();

        for (CompletableFuture<LockHandle> waiter : waiters) {
            waiter.get(PATIENCE.toSeconds(), TimeUnit.SECONDS).close();
        }
    }
}
