package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.time.Duration;
import java.time.Instant;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Which texts are records, queue entries and requests, and what they say. */
class WireFormatTest {
    private static final LockOwner OWNER = LockOwner.of("host", 7, "client", "thread");
    private static final String OWNED = "host\t7\tclient\tthread";
    private static final Duration REMAINING = Duration.ofSeconds(20);
    private static final long BASE = 1_700_000_000_000_123L;
    private static final Instant SINCE = Instant.ofEpochMilli(1_700_000_000_000L);

    static Stream<Arguments> modes() {
        return Stream.of(
                Arguments.of(LockMode.EXCLUSIVE, "lock\t1"),
                Arguments.of(LockMode.READ, "read\t1"),
                Arguments.of(LockMode.WRITE, "write\t1"),
                Arguments.of(LockMode.permits(2, 5), "permits\t2/5"));
    }

    // Records

    @ParameterizedTest
    @MethodSource("modes")
    void api_aRecordSaysWhoHoldsTheLock(LockMode mode, String words) {
        String record = WireFormat.record(mode, "value", BASE, WireFormat.owner(OWNER));

        assertThat(record).isEqualTo("value\t1\t" + words + "\t" + BASE + "\t" + OWNED);
        for (String flag : new String[] {"", "\n"}) {
            assertThat(WireFormat.holder(record + flag, REMAINING))
                    .usingRecursiveComparison()
                    .isEqualTo(LockStatus.Holder.of(OWNER, mode, SINCE, BASE, REMAINING));
        }
    }

    @Test
    void s15_theLockDelayIsNoPartOfTheRemainingLease() {
        String owner = WireFormat.delayed(OWNED, 5_000);

        assertThat(owner).isEqualTo(OWNED + "\t\t5000");
        assertThat(WireFormat.holder(WireFormat.record(LockMode.EXCLUSIVE, "value", BASE, owner), REMAINING))
                .usingRecursiveComparison()
                .isEqualTo(LockStatus.Holder.of(OWNER, LockMode.EXCLUSIVE, SINCE, BASE, Duration.ofSeconds(15)));
    }

    @Test
    void api_aHoldWithoutALockDelayHasThePlainOwner() {
        assertThat(WireFormat.delayed(OWNED, 0)).isEqualTo(OWNED);
    }

    @Test
    void v11_theRecordOfAStickyHoldHasItsOwnerToo() {
        String record = WireFormat.record(LockMode.EXCLUSIVE, "value", BASE, WireFormat.sticky(OWNED, "channel"));

        assertThat(record).endsWith(OWNED + "\tchannel");
        assertThat(WireFormat.holder(record, REMAINING).owner()).isEqualTo(OWNER);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "anything",
                "value\t2\tlock\t1\t5\t" + OWNED,
                "value\t1\tother\t1\t5\t" + OWNED,
                "value\t1\tpermits\t0/5\t5\t" + OWNED
            })
    void s5_whatAnotherProgramHasWrittenIsItsOwner(String text) {
        assertThat(WireFormat.holder(text, REMAINING))
                .usingRecursiveComparison()
                .isEqualTo(LockStatus.Holder.of(
                        LockOwner.of("", 0, text, ""), LockMode.EXCLUSIVE, Instant.EPOCH, 1, REMAINING));
    }

    @ParameterizedTest
    @ValueSource(strings = {"host\t7\tclient", "host\tseven\tclient\tthread"})
    void s5_anOwnerOfAnotherFormIsShownAsItIs(String owner) {
        assertThat(WireFormat.holder("value\t1\tlock\t1\t5\t" + owner, REMAINING)
                        .owner())
                .isEqualTo(LockOwner.of("", 0, owner, ""));
    }

    @Test
    void s5_theFieldsOfAnOwnerHaveNoSeparators() {
        assertThat(WireFormat.owner(LockOwner.of("a\tb", 7, "c\nd", "e\rf"))).isEqualTo("a b\t7\tc d\te f");
    }

    @Test
    void s10_aLimitBeyondAnyClientsIsTheGreatest() {
        LockMode mode = WireFormat.holder("value\t1\tpermits\t9999999999/9999999999\t5\t" + OWNED, REMAINING)
                .mode();

        assertThat(mode).isEqualTo(LockMode.permits(Integer.MAX_VALUE, Integer.MAX_VALUE));
    }

    // Kept locks

    @Test
    void s13_aKeptLockSaysWhoHeldIt() {
        assertThat(WireFormat.kept("kept\t1\tkept\t1\t5\t" + OWNED, REMAINING))
                .get()
                .usingRecursiveComparison()
                .isEqualTo(LockStatus.Kept.of(OWNER, REMAINING));
    }

    @ParameterizedTest
    @CsvSource({"5001, false", "5000, true", "4999, true"})
    void s15_aLockDelayKeepsTheLockAfterItsLease(long remaining, boolean isKept) {
        String record = WireFormat.record(LockMode.EXCLUSIVE, "value", BASE, WireFormat.delayed(OWNED, 5_000));
        Duration left = Duration.ofMillis(remaining);

        assertThat(WireFormat.kept(record, left).isPresent()).isEqualTo(isKept);
        WireFormat.kept(record, left)
                .ifPresent(
                        kept -> assertThat(kept).usingRecursiveComparison().isEqualTo(LockStatus.Kept.of(OWNER, left)));
    }

    @ParameterizedTest
    @ValueSource(strings = {"value\t1\tlock\t1\t5\t" + OWNED, "anything"})
    void s13_aHoldWithoutALockDelayIsNotKept(String record) {
        assertThat(WireFormat.kept(record, Duration.ZERO)).isEmpty();
    }

    // Queue entries

    @ParameterizedTest
    @MethodSource("modes")
    void api_aQueueEntrySaysWhoWaits(LockMode mode, String words) {
        String entry = WireFormat.entry(mode, "value", "channel", 3_000, OWNED);

        assertThat(entry).isEqualTo("1\t" + words + "\tvalue\tchannel\t3000\t" + OWNED);
        assertThat(WireFormat.waiter(entry, BASE))
                .usingRecursiveComparison()
                .isEqualTo(LockStatus.Waiter.of(OWNER, mode, SINCE));
    }

    @Test
    void api_aQueueEntryOfAnotherVersionIsShownAsItIs() {
        assertThat(WireFormat.waiter("2\tanything", BASE))
                .usingRecursiveComparison()
                .isEqualTo(LockStatus.Waiter.of(LockOwner.of("", 0, "2\tanything", ""), LockMode.EXCLUSIVE, SINCE));
    }

    // Requests to release a lock, and kinds

    @Test
    void v12_aRequestSaysWhoAsksForARelease() {
        assertThat(WireFormat.request("1\t8\t9\tid\t" + OWNED)).contains(new WireFormat.Request(8, 9, "id", OWNER));
        assertThat(WireFormat.request("2\t8\t9\tid\t" + OWNED)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"lock, LOCK", "read-write, READ_WRITE_LOCK", "permits, SEMAPHORE"})
    void s12_eachKindHasAWord(String word, LockKind kind) {
        assertThat(WireFormat.kind(word)).isEqualTo(kind);
    }

    @Test
    void s12_anUnknownKindIsAnError() {
        assertThatThrownBy(() -> WireFormat.kind("other")).hasMessage("unexpected kind from the server: other");
    }
}
