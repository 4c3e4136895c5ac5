package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

/** What is drawn by chance for the sake of programs that are not in the queue. */
class ForeignPausesTest {
    private static final int DRAWS = 10_000;
    private static final long FOUND = Duration.ofHours(1).toNanos();

    private final ForeignHold hold = new ForeignHold("digest", FOUND);

    private static List<Long> draw(LongSupplier drawn) {
        return LongStream.generate(drawn).limit(DRAWS).boxed().toList();
    }

    private void expectPauses(Duration age, boolean expires, Duration shortest, Duration longest) {
        List<Long> drawn =
                draw(() -> hold.pollAfter(FOUND + age.toNanos(), expires).toNanos());

        long width = longest.minus(shortest).toNanos();
        assertThat(drawn).allMatch(pause -> pause >= shortest.toNanos() && pause <= longest.toNanos());
        assertThat(drawn).anyMatch(pause -> pause < shortest.toNanos() + width / 10);
        assertThat(drawn).anyMatch(pause -> pause > longest.toNanos() - width / 10);
    }

    @Test
    void v2_theFirstWaiterPollsFromTwoToFourTimesIn100Milliseconds() {
        expectPauses(Duration.ZERO, true, Duration.ofMillis(25), Duration.ofMillis(50));
        expectPauses(Duration.ofMillis(500), false, Duration.ofMillis(25), Duration.ofMillis(50));
        expectPauses(Duration.ofMillis(800), true, Duration.ofMillis(40), Duration.ofMillis(80));
    }

    @Test
    void v2_pausesGrowWithoutABoundOnlyForAKeyThatDoesNotExpire() {
        expectPauses(Duration.ofSeconds(20), true, Duration.ofMillis(50), Duration.ofMillis(100));
        expectPauses(Duration.ofSeconds(20), false, Duration.ofSeconds(1), Duration.ofSeconds(2));
    }

    @Test
    void v3_oneOfSomeHandoffsLeavesTheLock() {
        ForeignTurns fourth = new ForeignTurns(4, Duration.ofMillis(30));

        List<Long> drawn = draw(fourth::drawMillis);

        assertThat(drawn).containsOnly(0L, 30L);
        assertThat(drawn.stream().filter(millis -> millis > 0).count()).isBetween(DRAWS / 4L - 500, DRAWS / 4L + 500);
        assertThat(draw(new ForeignTurns(1, Duration.ofMillis(30))::drawMillis)).containsOnly(30L);
        assertThat(draw(ForeignTurns.NONE::drawMillis)).containsOnly(0L);
    }

    @Test
    void s1_identifiersDifferAndHave22Characters() {
        List<String> drawn =
                LongStream.range(0, DRAWS).mapToObj(i -> RandomId.next()).toList();

        assertThat(drawn).doesNotHaveDuplicates().allMatch(id -> id.matches("[\\w-]{22}"));
    }
}
