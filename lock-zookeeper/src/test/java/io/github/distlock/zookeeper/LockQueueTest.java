package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class LockQueueTest {
    private static final LockMode X = LockMode.EXCLUSIVE;
    private static final LockMode R = LockMode.READ;
    private static final LockMode W = LockMode.WRITE;

    private static LockMode p(int count, int limit) {
        return LockMode.permits(count, limit);
    }

    private static LockQueue queue(LockMode... modes) {
        List<String> children = new ArrayList<>();
        for (LockMode mode : modes) {
            children.add(NodeName.prefix("guid", mode) + String.format("%010d", children.size()));
        }
        return LockQueue.of(children);
    }

    private static int holders(LockMode... modes) {
        LockQueue queue = queue(modes);
        int holders = queue.holders().size();
        for (int i = 0; i < modes.length; i++) {
            assertThat(queue.isHolder(i, modes[i])).as("contender " + i).isEqualTo(i < holders);
        }
        return holders;
    }

    private static String watched(int position, LockMode... modes) {
        return queue(modes).watched("/lock", position, modes[position]);
    }

    @Test
    void s1_oneExclusiveContenderHoldsALock() {
        assertThat(holders()).isZero();
        assertThat(holders(X, X)).isEqualTo(1);
    }

    @Test
    void s15_aCompanionIsInTheQueueOnlyWithoutItsHolder() {
        String holder = "a-delay-lock-0000000001";
        String companion = "a-kept-lock-0000000001";
        String waiter = "b-lock-0000000003";

        assertThat(LockQueue.of(List.of(companion, waiter, holder)).names()).containsExactly(holder, waiter);
        assertThat(LockQueue.of(List.of(waiter, companion)).names()).containsExactly(companion, waiter);
        assertThat(LockQueue.of(List.of("c-delay-lock-0000000002", companion)).names())
                .containsExactly(companion, "c-delay-lock-0000000002");
    }

    @Test
    void s9_oneWriterOrConsecutiveReadersHoldALock() {
        assertThat(holders(W, W, R)).isEqualTo(1);
        assertThat(holders(W, R, R)).isEqualTo(1);
        assertThat(holders(R, R, W, R)).isEqualTo(2);
    }

    @Test
    void s10_permitsHoldALockUpToTheLimitOfEachClient() {
        assertThat(holders(p(1, 2), p(1, 2), p(1, 2))).isEqualTo(2);
        assertThat(holders(p(2, 3), p(1, 3), p(1, 3))).isEqualTo(2);
        assertThat(holders(p(2, 3), p(1, 2))).isEqualTo(1);
        assertThat(holders(p(2, 2), p(1, 3), p(1, 3))).isEqualTo(2);
        assertThat(holders(p(Integer.MAX_VALUE, Integer.MAX_VALUE), p(1, Integer.MAX_VALUE)))
                .isEqualTo(1);
    }

    @Test
    void v10_aSmallRequestNeverOvertakesALargeOne() {
        assertThat(holders(p(2, 3), p(2, 3), p(1, 3))).isEqualTo(1);
    }

    @Test
    void s12_contendersOfDifferentKindsNeverHoldALockTogether() {
        assertThat(holders(R, p(1, 9))).isEqualTo(1);
        assertThat(holders(p(1, 9), R)).isEqualTo(1);
        assertThat(holders(X, R)).isEqualTo(1);
        assertThat(holders(R, X)).isEqualTo(1);
        assertThat(holders(R, X, R)).isEqualTo(1);
    }

    @Test
    void s12_theFirstKnownNodeSaysTheKind() {
        LockQueue queue = LockQueue.of(List.of("x__rlock__0000000001", "a-lock-0000000002", "b-__READ__0000000003"));

        assertThat(queue.kindBefore(1)).isEmpty();
        assertThat(queue.kindBefore(2)).contains(LockKind.LOCK);
        assertThat(queue.kindBefore(3)).contains(LockKind.LOCK);
    }

    @Test
    void v10_aWaiterWatchesItsPredecessor() {
        assertThat(watched(1, X, X)).isEqualTo("/lock/_c_guid-lock-0000000000");
        assertThat(watched(2, W, R, W)).isEqualTo("/lock/_c_guid-__READ__0000000001");
    }

    @Test
    void v10_aReaderWatchesTheLastWriterBeforeIt() {
        assertThat(watched(3, W, W, R, R)).isEqualTo("/lock/_c_guid-__WRIT__0000000001");
        assertThat(watched(2, R, W, R, W)).isEqualTo("/lock/_c_guid-__WRIT__0000000001");
    }

    @Test
    void v10_theFirstWaiterForPermitsWatchesTheDirectoryAndOthersTheirPredecessor() {
        assertThat(watched(2, p(1, 2), p(1, 2), p(1, 2), p(1, 2))).isEqualTo("/lock");
        assertThat(watched(3, p(1, 2), p(1, 2), p(1, 2), p(1, 2))).isEqualTo("/lock/_c_guid-permits-1-2-0000000002");
    }

    private static List<Integer> positions(LockQueue queue, IntPredicate which) {
        return IntStream.range(0, queue.names().size()).filter(which).boxed().toList();
    }

    @Test
    void s13_eachLaterNodeIsBehindAKeptLock() {
        LockQueue kept =
                LockQueue.of(List.of("_c_a-kept-lock-0000000000", "_c_b-lock-0000000001", "_c_c-lock-0000000002"));
        LockQueue sticky =
                LockQueue.of(List.of("_c_a-sticky-lock-0000000000", "_c_b-lock-0000000001", "_c_c-lock-0000000002"));

        assertThat(positions(kept, kept::isBehindKept)).containsExactly(1, 2);
        assertThat(positions(kept, kept::isNextToSticky)).isEmpty();
        assertThat(positions(sticky, sticky::isBehindKept)).isEmpty();
        assertThat(positions(sticky, sticky::isNextToSticky)).containsExactly(1);
    }

    @Test
    void s13_onlySomeNodesMayBecomeAKeptLock() {
        assertThat(queue(X, W, R, p(1, 2)).mayBeKept()).isFalse();
        assertThat(LockQueue.of(List.of("_c_a-sticky-lock-0000000000")).mayBeKept())
                .isFalse();
        for (String kind : List.of("minimum", "delay", "kept")) {
            String name = "_c_b-" + kind + "-lock-0000000001";
            assertThat(LockQueue.of(List.of("_c_a-lock-0000000000", name)).mayBeKept())
                    .as(name)
                    .isTrue();
        }
    }

    @Test
    void v10_eachNodeButTheLastHasOthersBehindIt() {
        LockQueue queue = queue(X, X, X);

        assertThat(positions(queue, queue::hasMoreThan)).containsExactly(0, 1);
        assertThat(queue.isEmpty()).isFalse();
        assertThat(queue().isEmpty()).isTrue();
    }

    @Test
    void v10_aContenderThatIsNotInTheQueueHasNoPosition() {
        LockQueue queue = queue(X, R);

        assertThat(queue.position("_c_guid-__READ__0000000001")).isEqualTo(1);
        assertThat(queue.position("_c_guid-__READ__0000000002")).isNegative();
    }

    @Test
    void s10_anotherLimitAndAnUnknownNodeAreFound() {
        LockQueue queue = queue(p(1, 2), X, p(1, 3));

        assertThat(queue.otherLimit(p(1, 2))).contains(3);
        assertThat(queue.otherLimit(p(1, 3))).contains(2);
        assertThat(queue(X, p(1, 2)).otherLimit(p(2, 2))).isEmpty();
        assertThat(queue.unknown()).isEmpty();
        assertThat(LockQueue.of(List.of("a-lock-0000000001", "x__rlock__0000000002"))
                        .unknown())
                .contains("x__rlock__0000000002");
    }
}
