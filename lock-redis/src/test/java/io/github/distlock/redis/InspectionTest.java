package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What an inspection makes of the replies of a server. */
class InspectionTest {
    private static final String OWNER = "host\t7\tclient\t";

    private static byte[] record(String thread, long base) {
        return bytes("value\t1\tread\t1\t" + base + "\t" + OWNER + thread);
    }

    private static byte[] entry(String thread) {
        return bytes("1\tread\t1\tvalue\tchannel\t3000\t" + OWNER + thread);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    private static Stream<String> waiters(LockStatus status) {
        return status.waiters().stream().map(waiter -> waiter.owner().thread());
    }

    private static Stream<String> holders(LockStatus status) {
        return status.holders().stream().map(holder -> holder.owner().thread());
    }

    @Test
    void api_aFreeLockHasNeitherHoldersNorWaiters() {
        List<?> page = List.of(0L, bytes(""));

        LockStatus status = Inspection.status("name", List.of(page));

        assertThat(Inspection.next(page)).isEmpty();
        assertThat(status.lockName()).isEqualTo("name");
        assertThat(status.holders()).isEmpty();
        assertThat(status.waiters()).isEmpty();
        assertThat(status.kept()).isEmpty();
    }

    @Test
    void api_holdersAreInTheOrderOfTheirGrants() {
        List<?> page = List.of(2L, record("late", 9), 2_000L, record("early", 8), -1L, bytes(""));

        LockStatus status = Inspection.status("name", List.of(page));

        assertThat(holders(status)).containsExactly("early", "late");
        assertThat(status.holders().stream().map(LockStatus.Holder::remainingLease))
                .containsExactly(Duration.ZERO, Duration.ofSeconds(2));
        assertThat(status.waiters()).isEmpty();
    }

    @Test
    void api_waitersOfAllPagesAreInTheirOrder() {
        List<?> first =
                List.of(1L, record("holder", 8), 2_000L, bytes("5"), entry("a"), bytes("4"), entry("b"), bytes("5"));
        List<?> second = List.of(0L, bytes(""), entry("b"), bytes("5"), entry("c"), bytes("6"));
        assertThat(Inspection.next(first)).isEqualTo("5");
        assertThat(Inspection.next(second)).isEmpty();

        LockStatus status = Inspection.status("name", List.of(first, second));

        assertThat(holders(status)).containsExactly("holder");
        assertThat(waiters(status)).containsExactly("a", "b", "c");
    }

    @Test
    void s13_aKeptLockHasNoHolder() {
        List<?> reply = List.of(bytes("kept\t1\tkept\t1\t5\t" + OWNER + "last"), 2_000L);

        LockStatus status = Inspection.status("name", List.of(List.of(1L, reply.get(0), reply.get(1), bytes(""))));

        assertThat(status.holders()).isEmpty();
        assertThat(status.kept())
                .get()
                .usingRecursiveComparison()
                .isEqualTo(LockStatus.Kept.of(LockOwner.of("host", 7, "client", "last"), Duration.ofSeconds(2)));
        assertThat(Inspection.holders(reply)).isEmpty();
    }

    @Test
    void api_aForcedReleaseNamesTheHoldersThatItHasEnded() {
        assertThat(Inspection.holders(List.of(record("late", 9), 2_000L, record("early", 8), 1_000L)))
                .extracting(holder -> holder.owner().thread())
                .containsExactly("early", "late");
        assertThat(Inspection.holders(List.of())).isEmpty();
    }
}
