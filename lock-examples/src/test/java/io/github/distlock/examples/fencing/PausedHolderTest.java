package io.github.distlock.examples.fencing;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.examples.fencing.PausedHolder.Outcome;
import io.github.distlock.tests.PromiseNames;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

/** A holder that is paused after it has checked its hold, and its late writes to four stores. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("starts servers and processes")
class PausedHolderTest {
    private static final List<String> STORES = List.of("memory", "SQL", "Redis", "ZooKeeper");

    private static List<Outcome> outcomes;

    /** The limit of the class does not apply to this method. */
    @BeforeAll
    @Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    static void run() throws Exception {
        outcomes = PausedHolder.run();
    }

    @Test
    void s3_eachStoreRefusesTheLateWriteBehindAFence() {
        assertEquals(
                STORES,
                outcomes.stream().filter(Outcome::refused).map(Outcome::store).toList());
        assertEquals(
                List.of("80", "80", "80", "80"),
                outcomes.stream().map(Outcome::balance).toList());
    }

    @Test
    void s3_theLateWriteGoesThroughWithoutAFence() {
        assertEquals(STORES, outcomes.stream().map(Outcome::store).toList());
        assertEquals(
                List.of("90", "90", "90", "90"),
                outcomes.stream().map(Outcome::unfencedBalance).toList());
    }
}
