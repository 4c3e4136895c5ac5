package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

/** Checks what a backend tells the engine of its servers. */
@DisplayNameGeneration(PromiseNames.class)
class RedisContextTest {
    private final AtomicLong time = new AtomicLong(Duration.ofHours(1).toNanos());
    private final RecordingContext engine = new RecordingContext("client");
    private final List<Object> replaced = new ArrayList<>();
    private final RedisContext context = new RedisContext(new TestClock(time), replaced::add);

    private void letPass(Duration passed) {
        time.addAndGet(passed.toNanos());
    }

    @Test
    void v8_aLossIsReportedOnceASecondForEachServer() {
        context.start(engine);

        context.connectionLost("one");
        letPass(Duration.ofMillis(500));
        context.connectionLost("other");
        letPass(Duration.ofMillis(500).minusNanos(1));
        context.connectionLost("one");
        context.connectionLost("other");
        assertThat(engine.lostConnections()).containsExactly("one", "other");
        letPass(Duration.ofNanos(1));
        context.connectionLost("one");
        context.connectionLost("other");

        assertThat(engine.lostConnections()).containsExactly("one", "other", "one");
    }

    @Test
    void v8_holdsOnAServerThatIsReplacedAreRenewedHoweverOften() {
        context.start(engine);

        context.serverReplaced("server");
        context.serverReplaced("server");

        assertThat(engine.lostConnections()).containsExactly("server", "server");
        assertThat(replaced).containsExactly("server", "server");
    }

    @Test
    void api_aLogStatementIsTheEngines() {
        context.start(engine);
        AtomicInteger logged = new AtomicInteger();

        context.log(logged::incrementAndGet);

        assertEquals(1, logged.get());
    }

    @Test
    void api_aBackendWithoutAClientSaysThatItNeedsOne() {
        assertThatThrownBy(context::requireStarted)
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("create a LockClient with it first");

        context.start(engine);

        context.requireStarted();
    }
}
