package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

class ContentionTest {
    private final Contention contention = new Contention();

    @Test
    void api_aLockWithAQueueIsRememberedUntilTheServerFindsNone() {
        assertFalse(contention.isLikely("orders"));

        contention.note("orders", true);
        assertTrue(contention.isLikely("orders"));

        contention.note("orders", false);
        assertFalse(contention.isLikely("orders"));
    }

    @Test
    void api_aQueueOfOneLockDoesNotConcernAnother() {
        contention.note("a", true);

        assertFalse(contention.isLikely("b"));
    }
}
