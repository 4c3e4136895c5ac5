package io.github.distlock.tests.history;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import org.junit.jupiter.api.Test;

class RecordedHistoryTest {
    @Test
    void historiesThatDifferInOneEventHaveOtherHashes() {
        RecordedHistory one = new RecordedHistory();
        RecordedHistory same = new RecordedHistory();
        RecordedHistory other = new RecordedHistory();

        one.refused(1, 5, 1, "busy");
        same.refused(1, 5, 1, "busy");
        other.refused(1, 5, 1, "late");

        assertEquals(one.hash(), same.hash());
        assertNotEquals(one.hash(), other.hash());
    }
}
