package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Which contenders are withdrawn once more from a server that has taken the place of another. */
class EndedContendersTest {
    private static final int MOST = 1_024;

    private final EndedContenders ended = new EndedContenders();

    private static LockKeys keys(String name) {
        return LockKeys.of(name, same -> same, "distlock:");
    }

    private ScriptCall note(String name) {
        ScriptCall withdrawal = new ScriptCall(Script.WITHDRAW, keys(name));
        ended.note(keys(name), () -> withdrawal);
        return withdrawal;
    }

    @Test
    void s7_theEndedContendersOfTheLocksOfAServerAreWithdrawn() {
        ScriptCall first = note("a");
        var other = note("b");
        ScriptCall second = note("a");

        assertThat(ended.withdrawals(keys -> keys.name.equals("a"))).containsExactly(first, second);
        assertThat(ended.withdrawals(keys -> true)).hasSize(3).contains(other);
        assertThat(ended.withdrawals(keys -> false)).isEmpty();
    }

    @Test
    void s7_theLastOnesAreKept() {
        List<ScriptCall> all =
                IntStream.range(0, MOST + 2).mapToObj(i -> note("a")).toList();

        assertThat(ended.withdrawals(keys -> true)).hasSameElementsAs(all.subList(2, all.size()));
    }
}
