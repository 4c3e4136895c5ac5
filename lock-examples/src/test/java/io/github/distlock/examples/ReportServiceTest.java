package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.github.distlock.LockClient;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Shows how to test code that locks, without a server and without waiting, and how to provoke a loss. */
class ReportServiceTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final ReportService service = new ReportService(locks);

    @AfterEach
    void close() {
        locks.close();
    }

    @Test
    void v2_slowPublishingKeepsItsLock() throws Exception {
        service.publish(List.of("one", "two"), () -> store.advance(Duration.ofMinutes(10)));
        assertEquals(List.of("one", "two"), service.published());
        assertEquals(0, store.size(), "the lock is free");
    }

    @Test
    void s6_publishingStopsWhenTheLockIsLost() {
        assertThrows(LockLostException.class, () -> service.publish(List.of("one", "two"), () -> store.lose("report")));
        assertEquals(List.of("one"), service.published());
    }
}
