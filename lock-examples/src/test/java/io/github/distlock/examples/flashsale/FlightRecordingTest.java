package io.github.distlock.examples.flashsale;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import jdk.jfr.consumer.RecordedEvent;
import jdk.jfr.consumer.RecordingFile;
import org.h2.tools.Server;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A recording of the processes of the flash sale shows what happened to their locks. */
@ResourceLock("starts servers and processes")
@Timeout(120)
class FlightRecordingTest {
    @TempDir
    private Path folder;

    @Test
    void api_aRecordingOfTheFlashSaleShowsWaitsHoldsLossesAndFailedRenewals() throws Exception {
        Server database = Stock.startServer();
        try (RedisServer redis = RedisServer.start();
                ChildProgram holder = till("holder", redis, database);
                ChildProgram next = till("next", redis, database)) {
            Staff.ask(holder, "hold REDIS sale", "held");
            Staff.ask(next, "hold REDIS sale", "waiting sale");
            redis.pause();
            assertEquals("EXPIRED", Staff.await(holder, "lost"));
            redis.resume();
            Staff.await(next, "held");
            Staff.ask(next, "release", "released");
            holder.send("end");
            next.send("end");
            assertEquals(0, holder.awaitExit(Staff.PATIENCE));
            assertEquals(0, next.awaitExit(Staff.PATIENCE));
        } finally {
            database.stop();
        }

        assertFalse(recorded("holder", "FailedRenewal").isEmpty());
        assertEquals(
                List.of("expired"),
                recorded("holder", "Loss").stream()
                        .map(loss -> loss.getString("reason"))
                        .toList());
        assertEquals(List.of("lost"), outcomes(recorded("holder", "Hold")));
        assertEquals(List.of("acquired"), outcomes(recorded("next", "Wait")));
        assertEquals(List.of("released"), outcomes(recorded("next", "Hold")));
        RecordedEvent wait = recorded("next", "Wait").get(0);
        assertTrue(wait.getDuration().compareTo(Store.LEASE.dividedBy(3)) > 0, wait::toString);
        assertTrue(
                wait.getStackTrace().getFrames().stream()
                        .anyMatch(frame -> frame.getMethod().getType().getName().equals(Till.class.getName())),
                wait::toString);
    }

    private ChildProgram till(String name, RedisServer redis, Server database) {
        List<String> options = List.of(
                "-XX:StartFlightRecording:filename=" + file(name) + ",+distlock.Hold#threshold=0ms", "-Xlog:jfr*=off");
        return ChildProgram.start(options, Till.class, redis.uri(), "localhost:1", Stock.url(database));
    }

    private Path file(String name) {
        return folder.resolve(name + ".jfr");
    }

    private List<RecordedEvent> recorded(String name, String kind) throws IOException {
        List<RecordedEvent> events = RecordingFile.readAllEvents(file(name)).stream()
                .filter(event -> event.getEventType().getName().equals("distlock." + kind))
                .toList();
        events.forEach(event -> assertNotNull(event.getStackTrace(), event::toString));
        return events;
    }

    private static List<String> outcomes(List<RecordedEvent> events) {
        return events.stream().map(event -> event.getString("outcome")).toList();
    }
}
