package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/** With a session timeout of 30 s and a tick of 2 s, ZooKeeper's client pings after 10 s, and clock drift costs 2 %. */
class SessionValidityTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration TICK = Duration.ofSeconds(2);
    private static final long COUNTED = 29_400;

    private final SessionValidity session = new SessionValidity(TIMEOUT, TICK, null);

    @Test
    void s2_withoutAWriteThereIsNoValidity() {
        assertThat(session.validity(TIMEOUT.toNanos(), at(5)).length()).isLessThan(Duration.ofMillis(1));
    }

    @Test
    void s6_afterAFirstWriteValidityCountsFromAnEarlierPing() {
        write(100_000, 100_010);
        expectUntil(100_000 - 2_000 - 10_000 + COUNTED);
    }

    @Test
    void s6_validityCountsFromAWriteOnceALaterWriteIsATickYounger() {
        write(100_000, 100_010);
        write(102_010, 102_020);
        expectUntil(100_000 + COUNTED);
        write(103_000, 103_010);
        expectUntil(100_000 + COUNTED);
        write(104_020, 104_030);
        expectUntil(102_010 + COUNTED);
    }

    @Test
    void s6_aLateAnswerDelaysTheStartOfTheValidity() {
        write(100_000, 101_500);
        write(102_010, 102_020);
        expectUntil(102_010 - 2_000 - 10_000 - 1_500 + COUNTED);
        write(103_500, 103_510);
        expectUntil(100_000 + COUNTED);
    }

    @Test
    void s6_pingsDoNotCountWhileRequestsDoNotReachTheServer() {
        write(100_000, 100_010);
        write(102_500, 118_000);
        write(118_010, 118_020);
        expectUntil(100_000 + COUNTED);
    }

    @Test
    void s6_validityCountsFromTheCreationOfTheSession() {
        SessionValidity begun = new SessionValidity(TIMEOUT, TICK, at(99_500));
        begun.acknowledged(at(100_000), at(100_010).nanoTime());
        assertThat(until(begun)).isEqualTo(99_500 + COUNTED);
    }

    @Test
    void s6_reorderedAnswersDoNotShortenTheValidity() {
        write(100_000, 100_010);
        write(105_000, 105_010);
        long before = until(session);
        write(104_000, 105_020);
        assertThat(until(session)).isEqualTo(before);
    }

    @Test
    void s6_aShorterSessionTimeoutShortensTheValidity() {
        write(100_000, 100_010);
        Validity shorter = session.validity(Duration.ofSeconds(20).toNanos(), at(100_020));
        assertThat(shorter.length()).isEqualTo(Duration.ofMillis(19_600 - 12_000));
    }

    @Test
    void v8_renewalsFollowWithinATick() {
        write(100_000, 100_010);
        Validity validity = session.validity(TIMEOUT.toNanos(), at(100_020));
        assertThat(validity.renewAfter()).isEqualTo(TICK);
        assertThat(SessionValidity.heartbeatInterval(TIMEOUT, Duration.ofDays(1)))
                .isEqualTo(Duration.ofSeconds(3));
        assertThat(SessionValidity.tick(TIMEOUT, Duration.ofDays(1))).isEqualTo(Duration.ofSeconds(15));
    }

    @Test
    void v8_renewalsKeepTheValidityAheadOfTime() {
        SessionValidity unknownTick = new SessionValidity(TIMEOUT, Duration.ofDays(1), null);
        long sent = 100_000;
        for (int i = 0; i < 50; i++) {
            unknownTick.acknowledged(at(sent), at(sent + 10).nanoTime());
            Validity validity = unknownTick.validity(TIMEOUT.toNanos(), at(sent + 10));
            assertThat(validity.length()).isGreaterThan(Duration.ofSeconds(4));
            assertThat(validity.renewAfter())
                    .isLessThanOrEqualTo(validity.length().dividedBy(2));
            if (i > 10) {
                assertThat(validity.length()).isGreaterThan(Duration.ofSeconds(10));
            }
            sent += validity.renewAfter().toMillis();
        }
    }

    private void write(long sent, long answered) {
        session.acknowledged(at(sent), at(answered).nanoTime());
    }

    private void expectUntil(long millis) {
        assertThat(until(session)).isEqualTo(millis);
    }

    private static long until(SessionValidity session) {
        Validity validity = session.validity(TIMEOUT.toNanos(), at(0));
        return validity.from().nanoTime() / 1_000_000 + validity.length().toMillis();
    }

    private static Moment at(long millis) {
        return new Moment(millis * 1_000_000, millis);
    }
}
