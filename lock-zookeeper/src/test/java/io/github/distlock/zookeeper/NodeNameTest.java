package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class NodeNameTest {
    private static final String GUID = "8d5e2f6a-0000-4000-8000-123456789abc";
    private static final String NUMBER = "0000000007";

    @Test
    void s12_theNameOfANodeSaysItsMode() {
        for (LockMode mode : List.of(
                LockMode.EXCLUSIVE,
                LockMode.READ,
                LockMode.WRITE,
                LockMode.permits(3, 10),
                LockMode.permits(Integer.MAX_VALUE, Integer.MAX_VALUE))) {
            assertThat(NodeName.mode(NodeName.prefix(GUID, mode) + NUMBER)).isEqualTo(mode);
        }
    }

    @Test
    void s12_theNamesAreThoseOfCurator() {
        assertThat(NodeName.prefix(GUID, LockMode.EXCLUSIVE)).isEqualTo("_c_" + GUID + "-lock-");
        assertThat(NodeName.prefix(GUID, LockMode.READ)).isEqualTo("_c_" + GUID + "-__READ__");
        assertThat(NodeName.prefix(GUID, LockMode.WRITE)).isEqualTo("_c_" + GUID + "-__WRIT__");
    }

    @Test
    void s1_theLocksOfOtherProgramsAreKnown() {
        assertThat(NodeName.mode("8d5e__lock__0000000012")).isEqualTo(LockMode.EXCLUSIVE);
        assertThat(NodeName.mode("lock-0000000001")).isEqualTo(LockMode.EXCLUSIVE);
    }

    @Test
    void s1_otherNamesAreUnknown() {
        for (String other : List.of(
                "8d5e__rlock__0000000012",
                "_c_8d5e-lease-0000000001",
                "0000000001",
                "_c_8d5e-permits-0-3-0000000001",
                "_c_8d5e-permits-4-3-0000000001",
                "_c_8d5e-permits-1-2147483648-0000000001",
                "_c_8d5e-permits-1-0000000001")) {
            assertThat(NodeName.mode(other)).as(other).isNull();
        }
    }

    @Test
    void s9_aReaderTakesThePlaceOfAWriterUnderItsNumber() {
        String writer = "/a__WRIT__0000000001/" + NodeName.prefix(GUID, LockMode.WRITE) + NUMBER;

        assertThat(NodeName.reader(writer))
                .isEqualTo("/a__WRIT__0000000001/" + NodeName.prefix(GUID, LockMode.READ) + NUMBER);
    }

    @Test
    void s13_aKeptNodeTakesThePlaceOfALockWithAMinimumHoldUnderItsNumber() {
        LockRequest request = TestContender.request().withMinimumHold(Duration.ofMinutes(1));
        String holder = "/a-minimum-lock-0000000001/" + NodeName.prefix(GUID, request) + NUMBER;

        String kept = NodeName.kept(holder);

        assertThat(kept).isEqualTo("/a-minimum-lock-0000000001/_c_" + GUID + "-kept-lock-" + NUMBER);
        assertThat(List.of(holder, kept)).allSatisfy(name -> {
            assertThat(NodeName.mode(name)).isEqualTo(LockMode.EXCLUSIVE);
            assertThat(NodeName.isPlain(name)).isFalse();
        });
        assertThat(NodeName.isKept(kept)).isTrue();
        assertThat(NodeName.isKept(holder)).isFalse();
    }

    @Test
    void s15_theCompanionOfALockWithADelayHasItsNumber() {
        LockRequest request = TestContender.request().withLockDelay(Duration.ofMinutes(1));
        String holder = NodeName.prefix(GUID, request.withMinimumHold(Duration.ofMinutes(1))) + NUMBER;

        String companion = NodeName.kept(holder);

        assertThat(holder).isEqualTo("_c_" + GUID + "-delay-lock-" + NUMBER);
        assertThat(companion).isEqualTo("_c_" + GUID + "-kept-lock-" + NUMBER);
        assertThat(NodeName.accompanied(companion)).isEqualTo(holder);
        assertThat(NodeName.isDelayed(holder)).isTrue();
        assertThat(NodeName.isDelayed(companion)).isFalse();
        assertThat(NodeName.isPlain(holder)).isFalse();
        assertThat(NodeName.mode(holder)).isEqualTo(LockMode.EXCLUSIVE);
    }

    @Test
    void v6_theLongestNameFitsIntoTheShareOfAListing() {
        String longest = NodeName.prefix(GUID, LockMode.permits(Integer.MAX_VALUE, Integer.MAX_VALUE)) + NUMBER;

        assertThat(longest.length() + Integer.BYTES).isLessThan(85);
    }

    @Test
    void s1_onlyNodesOfLocksWhosePlaceNoOtherTakesArePlain() {
        assertThat(NodeName.isPlain(NodeName.prefix(GUID, LockMode.EXCLUSIVE) + NUMBER))
                .isTrue();
        for (LockMode mode : List.of(LockMode.READ, LockMode.WRITE, LockMode.permits(1, 2))) {
            assertThat(NodeName.isPlain(NodeName.prefix(GUID, mode) + NUMBER)).isFalse();
        }
    }

    @Test
    void v11_theNameOfAStickyLockSaysSo() {
        String sticky = NodeName.prefix(GUID, TestContender.request().withSticky(true)) + NUMBER;

        assertThat(sticky).isEqualTo("_c_" + GUID + "-sticky-lock-" + NUMBER);
        assertThat(NodeName.isSticky(sticky)).isTrue();
        assertThat(NodeName.isPlain(sticky)).isTrue();
        assertThat(NodeName.mode(sticky)).isEqualTo(LockMode.EXCLUSIVE);
    }
}
