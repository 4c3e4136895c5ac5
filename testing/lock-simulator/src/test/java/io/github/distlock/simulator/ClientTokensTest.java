package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which tokens a client may give to its users one after the other. */
class ClientTokensTest {
    private static final String LOCK = "lock";

    private final ClientTokens tokens = new ClientTokens();

    private static long token(long base, int handoff) {
        return base << 8 | handoff;
    }

    @Test
    void s3_aGrantThatIsDecidedOnAfterAGreaterOneWasSeenIsTooSmall() {
        tokens.decided(1, LOCK, 7, 10);
        assertThat(tokens.granted(1, LOCK, token(7, 0), 11)).isFalse();
        tokens.decided(1, LOCK, 5, 12);

        assertThat(tokens.granted(1, LOCK, token(5, 0), 13)).isTrue();
    }

    @Test
    void s3_twoThreadsMayReturnTheirGrantsInAnyOrder() {
        tokens.decided(1, LOCK, 5, 9);
        tokens.decided(1, LOCK, 7, 10);

        assertThat(tokens.granted(1, LOCK, token(7, 0), 11)).isFalse();
        assertThat(tokens.granted(1, LOCK, token(5, 0), 12)).isFalse();
    }

    @Test
    void s3_aLocalHandoffBelowAGreaterTokenThatWasSeenBeforeTheReleaseIsTooSmall() {
        tokens.decided(1, LOCK, 5, 1);
        assertThat(tokens.granted(1, LOCK, token(5, 0), 2)).isFalse();
        tokens.decided(1, LOCK, 7, 3);
        assertThat(tokens.granted(1, LOCK, token(7, 0), 4)).isFalse();
        tokens.release(1, LOCK, token(5, 0), 5);

        assertThat(tokens.granted(1, LOCK, token(5, 1), 6)).isTrue();
    }

    @Test
    void s3_aLocalHandoffMayBeDecidedOnBeforeAGreaterTokenIsSeen() {
        tokens.decided(1, LOCK, 5, 1);
        assertThat(tokens.granted(1, LOCK, token(5, 0), 2)).isFalse();
        tokens.release(1, LOCK, token(5, 0), 3);
        tokens.decided(1, LOCK, 7, 4);
        assertThat(tokens.granted(1, LOCK, token(7, 0), 5)).isFalse();

        assertThat(tokens.granted(1, LOCK, token(5, 1), 6)).isFalse();
    }

    @Test
    void s3_anotherClientAndAnotherLockDoNotCount() {
        tokens.decided(1, LOCK, 7, 1);
        assertThat(tokens.granted(1, LOCK, token(7, 0), 2)).isFalse();
        tokens.decided(2, LOCK, 5, 3);
        tokens.decided(1, "other", 5, 3);

        assertThat(tokens.granted(2, LOCK, token(5, 0), 4)).isFalse();
        assertThat(tokens.granted(1, "other", token(5, 0), 4)).isFalse();
    }
}
