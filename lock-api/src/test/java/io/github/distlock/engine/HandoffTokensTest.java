package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What happens to a lease while a thread asks the store for another range of tokens. */
class HandoffTokensTest {
    private static final int MAX = 64;
    private static final long FIRST = FencingTokens.first(1);

    /** What the store answers. */
    private LongSupplier store = () -> 0;

    private @Nullable Object waiter = "a waiter";
    private int asked;
    private int offered;
    private int wakes;

    private final Dormancy.Line line = new Dormancy.Line() {
        @Override
        public LockOptions options() {
            return LockOptions.defaults();
        }

        @Override
        public @Nullable Object head() {
            return waiter;
        }

        @Override
        public void wakeHead() {
            wakes++;
        }
    };

    private final HandoffTokens tokens = new HandoffTokens(FIRST, MAX, line, () -> offered++);

    private void ask() {
        if (tokens.isAlmostUsedUp()) {
            tokens.ask(() -> {
                asked++;
                return store.getAsLong();
            });
        }
    }

    /** Grants the lease to a first holder, and hands it off until the range is used up. Returns all tokens. */
    private List<Long> handOffAll() {
        List<Long> taken = new ArrayList<>();
        while (!tokens.isUsedUp()) {
            taken.add(tokens.next());
            ask();
        }
        return taken;
    }

    private void handOff(int times) {
        for (int i = 0; i < times; i++) {
            var unused = tokens.next();
        }
    }

    @Test
    void v3_withoutAnotherBaseARangeEndsAfterItsHandoffs() {
        List<Long> taken = handOffAll();

        assertThat(taken).containsExactlyElementsOf(tokens(FIRST, 0, MAX));
        assertThat(tokens.isOver()).isTrue();
        assertThat(asked).isEqualTo(1);
    }

    private static List<Long> tokens(long first, int from, int to) {
        return IntStream.rangeClosed(from, to).mapToObj(n -> first + n).toList();
    }

    @Test
    void v3_s3_anotherBaseAllowsAsManyHandoffsAfterItsRequestWasSent() {
        int meanwhile = 5;
        store = () -> {
            store = () -> 0;
            handOff(meanwhile);
            return 2;
        };

        List<Long> taken = handOffAll();

        int before = (int) taken.stream().filter(token -> token <= FIRST + MAX).count();
        List<Long> after = taken.subList(before, taken.size());
        assertThat(after).containsExactlyElementsOf(tokens(FencingTokens.first(2), meanwhile + 1, MAX));
    }

    @Test
    void v3_theStoreIsAskedOnceWhenFewerThan16HandoffsAreLeft() {
        handOff(1 + MAX - 16);
        assertThat(tokens.isAlmostUsedUp()).as("with 16 handoffs left").isFalse();
        handOff(1);
        assertThat(tokens.isAlmostUsedUp()).as("with 15 handoffs left").isTrue();

        ask();
        assertThat(tokens.isAlmostUsedUp()).as("after a refusal").isFalse();
    }

    @Test
    void v3_aShortRangeIsHalfUsedWhenTheStoreIsAsked() {
        HandoffTokens few = new HandoffTokens(FIRST, 4, line, () -> offered++);
        List<Boolean> asks = new ArrayList<>();

        for (int handoffs = 0; handoffs <= 3; handoffs++) {
            var unused = few.next();
            asks.add(few.isAlmostUsedUp());
        }

        assertThat(asks).containsExactly(false, false, false, true);
    }

    @Test
    void aSlowStoreIsAskedEarlierForTheNextRange() {
        int meanwhile = 12;
        store = () -> {
            store = () -> 0;
            handOff(meanwhile);
            return 2;
        };
        handOff(MAX);
        ask();
        int handoffs = meanwhile;

        while (asked == 1) {
            handOff(1);
            handoffs++;
            ask();
        }

        assertThat(handoffs).isEqualTo(MAX - 2 * meanwhile + 1);
    }

    @Test
    void aHolderThatReleasesTooEarlyLeavesTheLeaseToTheThreadThatAsks() {
        List<Boolean> left = new ArrayList<>();
        store = () -> {
            left.add(tokens.isOver());
            left.add(tokens.leaveToAsker());
            left.add(tokens.leaveToAsker());
            return 2;
        };

        handOff(MAX + 1);
        ask();

        assertThat(left).containsExactly(false, true, false);
        assertThat(offered).isEqualTo(1);
        assertThat(wakes).isZero();
    }

    @Test
    void aLeaseThatWasLeftIsOfferedAlsoIfTheStoreRefuses() {
        store = () -> {
            assertThat(tokens.leaveToAsker()).isTrue();
            return 0;
        };

        handOff(MAX + 1);
        ask();

        assertThat(offered).isEqualTo(1);
        assertThat(tokens.isOver()).isTrue();
    }

    @Test
    void v2_aLeaseThatWasLeftIsOfferedWhateverTheRequestThrows() {
        store = () -> {
            assertThat(tokens.leaveToAsker()).isTrue();
            throw new StackOverflowError("planted");
        };

        handOff(MAX + 1);

        assertThatThrownBy(this::ask).isInstanceOf(StackOverflowError.class);
        assertThat(offered).isEqualTo(1);
        assertThat(tokens.isOver()).isTrue();
    }

    @Test
    void aLeaseIsNotLeftWhileItsRangeLastsOrNobodyAsks() {
        handOff(1);
        assertThat(tokens.leaveToAsker()).isFalse();
        handOff(MAX);
        assertThat(tokens.leaveToAsker()).isFalse();
    }

    @Test
    void aLeaseIsNotLeftIfNobodyWaits() {
        waiter = null;
        store = () -> {
            assertThat(tokens.leaveToAsker()).isFalse();
            return 0;
        };

        handOff(MAX + 1);
        ask();

        assertThat(offered).isZero();
    }

    @Test
    void v2_aRefusalAfterTheLastHandoffWakesTheFirstWaiter() {
        store = () -> {
            handOff(1);
            return 0;
        };

        handOff(MAX);
        ask();

        assertThat(wakes).isEqualTo(1);
        assertThat(offered).isZero();
    }

    @Test
    void v2_aRefusalBeforeTheLastHandoffWakesNobody() {
        handOff(MAX);
        ask();

        assertThat(wakes).isZero();
        assertThat(tokens.isOver()).isFalse();
    }
}
