package io.github.distlock.zookeeper;

import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The thread that sends requests for an idle session. */
class KeepAliveTest extends ContendersOfOneLock {
    /** The type and the path of a sync of the root. */
    private static final String SYNC = "\0\0\0\t\0\0\0\1/";

    private final RecordingContext context = new RecordingContext(base);

    private KeepAlive start(Session session) {
        return KeepAlive.start(
                session,
                new ServerTick(SharedZooKeeper.TICK),
                new OwnKeptLocks(new TestClock(new AtomicLong())),
                context);
    }

    private boolean runs() {
        return Thread.getAllStackTraces().keySet().stream()
                .anyMatch(thread -> thread.getName().startsWith("distlock-" + context.clientName() + "-"));
    }

    @Test
    void s6_anIdleSessionSendsRequestsThroughTheLeader() throws Exception {
        Session unused = sessionWithAHold(other);

        for (int i = 0; i < 2; i++) {
            Fault sent = link.delayNextRequest(FaultProxy.containing(SYNC), Duration.ofMillis(1));
            await("a request is sent", sent::hasStruck);
        }
    }

    @Test
    void v5_theThreadEndsWhenItIsStopped() throws Exception {
        KeepAlive keepAlive = start(sessionWithAHold(other));
        await("it runs", this::runs);

        keepAlive.stop();

        await("it has ended", () -> !runs());
    }

    @Test
    void v5_theThreadEndsWithItsSession() throws Exception {
        var unused = start(sessionWithAHold(other));
        await("it runs", this::runs);

        other.disconnect();

        await("it has ended", () -> !runs());
    }
}
