package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class SequenceTest {

    @Test
    void v3_everyChildWithTenDigitsIsAContender() {
        assertThat(Sequence.of("_c_8d5e-lock-0000000007")).isEqualTo(7);
        assertThat(Sequence.of("_c_8d5e-lock-0123456789")).isEqualTo(123_456_789);
        assertThat(Sequence.of("8d5e__lock__0000000012")).isEqualTo(12);
        assertThat(Sequence.of("lock-2147483647")).isEqualTo(Integer.MAX_VALUE);
        assertThat(Sequence.of("0000000001")).isEqualTo(1);
    }

    @Test
    void v3_otherChildrenAreNotContenders() {
        for (String other : List.of(
                "",
                "leases",
                "lock-000000001",
                "lock-00000000a1",
                "lock-00000000/1",
                "lock-00000000:1",
                "lock-０００００００００１")) {
            assertThat(Sequence.of(other)).isNegative();
        }
    }

    @Test
    void v3_sequenceNumbersDecideTheOrder() {
        List<String> children =
                List.of("_c_z-lock-0000000001", "a__lock__0000000003", "config", "_c_a-lock-0000000002");
        assertThat(Sequence.inOrder(children))
                .containsExactly("_c_z-lock-0000000001", "_c_a-lock-0000000002", "a__lock__0000000003");
    }

    @Test
    void s1_overflownNumbersAreGreaterThanTheLast() {
        String wrapped = "_c_x-lock-" + String.format("%010d", Integer.MIN_VALUE);
        assertThat(Sequence.of(wrapped)).isGreaterThan(Sequence.LAST);
        assertThat(Sequence.of("_c_x-lock-2147483600")).isGreaterThan(Sequence.LAST);
        assertThat(Sequence.of("_c_x-lock-2000000000")).isLessThan(Sequence.LAST);
    }

    @Test
    void v10_aWriterComesBeforeItsOwnReader() {
        List<String> children = List.of("_c_a-__READ__0000000003", "_c_b-__WRIT__0000000003");
        assertThat(Sequence.inOrder(children)).containsExactly("_c_b-__WRIT__0000000003", "_c_a-__READ__0000000003");
    }
}
