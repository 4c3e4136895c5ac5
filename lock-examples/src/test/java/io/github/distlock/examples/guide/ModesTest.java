package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.DistributedSemaphore;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows locks that several holders share. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class ModesTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final LockClient others = LockClient.create(store.connect());
    private final Products products = new Products();
    private final List<String> rendered = new ArrayList<>();

    /** A table that checks fencing tokens. */
    private static final class Products {
        private long fence;
        private String rows = "none";
        private Runnable whileHeld = () -> {};

        void replaceAll(String feed, long token) {
            assertTrue(token > fence);
            fence = token;
            rows = feed;
        }

        String find(int id) {
            whileHeld.run();
            return rows + "/" + id;
        }
    }

    @AfterEach
    void close() {
        locks.close();
        others.close();
        assertEquals(0, store.size());
    }

    private String find(String feed, int id) throws InterruptedException {
        DistributedReadWriteLock catalog = locks.readWriteLock("catalog");
        catalog.writeLock().runLocked(writing -> products.replaceAll(feed, writing.fencingToken()));
        try (LockHandle reading = catalog.readLock().acquire()) {
            return products.find(id);
        }
    }

    @Test
    void s9_readersExcludeWriters() throws InterruptedException {
        products.whileHeld = this::expectNoWriter;

        assertEquals("monday/7", find("monday", 7));
    }

    private void expectNoWriter() {
        assertTrue(others.readWriteLock("catalog").writeLock().tryAcquire().isEmpty());
    }

    /** A search index. */
    private interface Index {
        void rebuild();
    }

    private void replaceAll(DistributedReadWriteLock catalog, String feed, Index index) throws InterruptedException {
        try (LockHandle writing = catalog.writeLock().acquire()) {
            products.replaceAll(feed, writing.fencingToken());
            try (LockHandle reading = catalog.downgrade(writing)) { // writing is now RELEASED; closing it does nothing
                index.rebuild();
            }
        }
    }

    @Test
    void s9_aDowngradeLetsNoWriterIn() throws InterruptedException {
        replaceAll(locks.readWriteLock("catalog"), "tuesday", this::expectNoWriter);

        assertEquals("tuesday/7", products.find(7));
    }

    private void render(String picture) {
        assertTrue(others.semaphore("renderers", 10).permits(10).tryAcquire().isEmpty());
        rendered.add(picture);
    }

    @Test
    void s10_permitsAreLimitedAcrossClients() throws InterruptedException {
        String thumbnail = "thumbnail";
        String poster = "poster";
        DistributedSemaphore renderers = locks.semaphore("renderers", 10);
        renderers.permit().runLocked(held -> render(thumbnail));
        try (LockHandle held = renderers.permits(3).acquire()) { // three at once, released together
            render(poster);
        }

        assertEquals(List.of("thumbnail", "poster"), rendered);
    }
}
