package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows patterns that users of locks ask for. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class QuestionsTest {
    private static final int SEGMENTS = 4;

    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final List<String> events = new ArrayList<>();

    private final Map<Long, String> cache = new ConcurrentHashMap<>();
    private final Products database = id -> {
        events.add("load " + id);
        return "product " + id;
    };
    private final Transactions transactions = work -> {
        work.run();
        events.add("commit, locks: " + store.size());
    };
    private final Accounts accounts = (id, amount, token) -> events.add("withdraw " + amount);
    private final List<AtomicInteger> pieces =
            List.of(new AtomicInteger(1), new AtomicInteger(0), new AtomicInteger(1), new AtomicInteger(1));
    private final Stock stock = (item, segment) -> pieces.get(segment).getAndUpdate(left -> Math.max(0, left - 1)) > 0;

    private interface Products {
        String load(long id);
    }

    private interface Transactions {
        void run(Runnable work);
    }

    private interface Accounts {
        void withdraw(int id, int amount, long fencingToken);
    }

    private interface Stock {
        boolean take(long item, int segment);
    }

    @AfterEach
    void close() {
        locks.close();
    }

    private String product(long id) throws InterruptedException {
        String cached = cache.get(id);
        if (cached != null) {
            return cached;
        }
        return locks.lock("rebuild/" + id)
                .tryCallLocked(Duration.ofSeconds(2), held -> {
                    String rebuilt = cache.get(id); // the holder before this one may have rebuilt it
                    if (rebuilt == null) {
                        rebuilt = database.load(id);
                        cache.put(id, rebuilt);
                    }
                    return rebuilt;
                })
                .orElseThrow(() -> new IllegalStateException("busy, try again"));
    }

    @Test
    void api_aMissingEntryIsLoadedOnce() throws Exception {
        assertEquals("product 7", product(7));
        assertEquals("product 7", product(7));
        assertEquals(List.of("load 7"), events);
    }

    private void withdraw(int amount) throws InterruptedException {
        try (LockHandle held = locks.lock("account/7").acquire()) {
            transactions.run(() -> accounts.withdraw(7, amount, held.fencingToken())); // commits before it returns
        } // released after the commit
    }

    @Test
    void s1_aTransactionCommitsBeforeTheRelease() throws Exception {
        withdraw(100);
        assertEquals(List.of("withdraw 100", "commit, locks: 1"), events);
        assertEquals(0, store.size());
    }

    private boolean submit(long user, Runnable order) throws InterruptedException {
        LockOptions once = LockOptions.defaults().minimumHold(Duration.ofSeconds(5));
        return locks.lock("submit/" + user, once).tryRunLocked(Duration.ZERO, held -> order.run());
    }

    @Test
    void s13_aSecondSubmissionWithinFiveSecondsIsRefused() throws Exception {
        assertTrue(submit(7, () -> events.add("order")));
        assertFalse(submit(7, () -> events.add("order")));
        store.advance(Duration.ofSeconds(5));
        assertTrue(submit(7, () -> events.add("order")));
        assertEquals(List.of("order", "order"), events);
    }

    private boolean buy(long item) throws InterruptedException {
        int first = ThreadLocalRandom.current().nextInt(SEGMENTS);
        for (int i = 0; i < SEGMENTS; i++) {
            int segment = (first + i) % SEGMENTS;
            if (locks.lock("stock/" + item + "/" + segment).callLocked(held -> stock.take(item, segment))) {
                return true;
            }
        }
        return false;
    }

    @Test
    void api_eachPieceOfASegmentedStockIsSoldOnce() throws Exception {
        assertTrue(buy(7));
        assertTrue(buy(7));
        assertTrue(buy(7));
        assertFalse(buy(7));
    }
}
