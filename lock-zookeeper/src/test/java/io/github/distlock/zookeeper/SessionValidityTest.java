package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.lang.ref.WeakReference;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * With a session timeout of 30 s and a tick of 2 s, holders send heartbeats every 1.5 s, and an idle session sends a
 * request every 2.8 s. Clock drift costs 1 %.
 */
class SessionValidityTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration TICK = Duration.ofSeconds(2);
    private static final long COUNTED = 29_700;
    /** What the first writes of a session are worth if the client does not know when the session began. */
    private static final long UNPROVED = COUNTED - 20_000;

    private final ServerTick tick = new ServerTick(TICK);
    private final SessionValidity session = new SessionValidity(TIMEOUT, tick, null);

    @Test
    void s2_withoutAWriteThereIsNoValidity() {
        session.answered(at(1), at(2).nanoTime());
        assertThat(session.validity(TIMEOUT.toNanos(), at(5)).length()).isLessThan(Duration.ofMillis(1));
    }

    @Test
    void s6_validityCountsFromAnExchangeThatThreeLaterOnesProve() {
        exchange(100_000);
        exchange(102_100);
        exchange(103_000);

        write(104_000);

        expectUntil(100_000 + COUNTED);
    }

    /** The leader may have been stopped, and have answered the exchange before the ping that was due. */
    @Test
    void s6_twoLaterExchangesDoNotProveAnExchange() {
        exchange(95_000);
        exchange(97_100);
        exchange(100_000);
        exchange(112_000);

        write(112_500);

        expectUntil(97_100 + COUNTED);
    }

    @Test
    void s6_exchangesWithinATickProveNoPing() {
        exchange(95_000);
        exchange(97_100);
        exchange(98_100);
        exchange(99_000);

        write(100_000);

        expectUntil(95_000 + COUNTED);
    }

    @Test
    void s6_anExchangeThatIsNotYetAnsweredProvesNothing() {
        exchange(95_000);
        exchange(97_100);
        exchange(98_000);
        write(99_000);
        session.answered(at(99_900), at(120_000).nanoTime());

        write(119_000);

        expectUntil(95_000 + COUNTED);
    }

    @Test
    void s6_onlyAWriteProvesThatItsLeaderLeads() {
        exchange(95_000);
        exchange(97_100);
        exchange(98_000);
        write(99_000);

        exchange(101_500);
        exchange(104_000);
        exchange(106_500);

        expectUntil(95_000 + COUNTED);
    }

    @Test
    void s6_validityCountsFromTheCreationOfTheSession() {
        SessionValidity begun = new SessionValidity(TIMEOUT, tick, at(99_500));
        begun.acknowledged(at(100_000), at(100_010).nanoTime());
        assertThat(until(begun)).isEqualTo(99_500 + COUNTED);
    }

    @Test
    void s6_validityCountsFromARequestThatFailedBeforeTheSessionMoved() {
        write(100_000);
        session.lostWithConnection(at(121_000), at(122_000).nanoTime());
        expectUntil(100_000 + UNPROVED);

        write(125_000);

        expectUntil(121_000 + COUNTED);
    }

    /** Its answer may have come over the connection that was lost afterwards. */
    @Test
    void s6_aWriteThatWasSentBeforeTheLossWasHeardProvesNoOtherConnection() {
        write(100_000);
        session.lostWithConnection(at(121_000), at(122_000).nanoTime());

        write(121_500);

        expectUntil(121_500 + UNPROVED);
    }

    @Test
    void s6_theFirstWritesOfAnUnknownSessionAreWorthLess() {
        write(100_000);
        expectUntil(100_000 + UNPROVED);

        write(101_000);
        expectUntil(101_000 + UNPROVED);

        write(102_100);
        write(104_200);
        write(105_000);
        expectUntil(100_000 + COUNTED);
    }

    @Test
    void s6_aSuspendedMachineDoesNotLengthenTheValidity() {
        exchange(100_000);
        exchange(102_100);
        exchange(103_000);
        Moment afterSuspension = new Moment(at(104_000).nanoTime(), at(124_000).wallMillis());

        session.acknowledged(afterSuspension, at(104_010).nanoTime());

        Validity validity = session.validity(TIMEOUT.toNanos(), at(0));
        assertThat(validity.from().wallMillis() + validity.length().toMillis()).isEqualTo(100_000 + COUNTED);
        assertThat(validity.from().nanoTime() / 1_000_000 + validity.length().toMillis())
                .isEqualTo(100_000 + COUNTED);
    }

    @Test
    void s6_reorderedAnswersDoNotShortenTheValidity() {
        write(100_000);
        write(102_100);
        write(103_000);
        write(105_000);
        long before = until(session);

        session.acknowledged(at(104_000), at(105_020).nanoTime());

        assertThat(until(session)).isEqualTo(before);
    }

    @Test
    void s6_aShorterSessionTimeoutShortensTheValidity() {
        SessionValidity begun = new SessionValidity(TIMEOUT, tick, at(99_000));
        begun.acknowledged(at(100_000), at(100_010).nanoTime());

        Validity shorter = begun.validity(Duration.ofSeconds(20).toNanos(), at(100_020));

        assertThat(shorter.length()).isEqualTo(Duration.ofMillis(19_800 - 1_000));
    }

    @Test
    void v8_heartbeatsFollowWithinATick() {
        write(100_000);
        Validity validity = session.validity(TIMEOUT.toNanos(), at(100_020));
        assertThat(validity.renewAfter()).isEqualTo(Duration.ofMillis(1_500));
        assertThat(tick.keepAliveInterval(TIMEOUT)).isEqualTo(Duration.ofMillis(2_800));
    }

    @Test
    void v8_anUnknownTickCountsAsHalfOfTheTimeout() {
        ServerTick unknown = new ServerTick(null);
        assertThat(unknown.within(TIMEOUT)).isEqualTo(Duration.ofSeconds(15));
        assertThat(unknown.heartbeatInterval(TIMEOUT)).isEqualTo(Duration.ofMillis(1_500));
    }

    @Test
    void v8_aHoldSurvives20SecondsOfSilenceInTheSteadyState() {
        assertThat(steadyValidity(tick)).isGreaterThan(Duration.ofSeconds(23));
    }

    @Test
    void v8_aHoldSurvives9SecondsOfSilenceIfTheTickIsUnknown() {
        assertThat(steadyValidity(new ServerTick(null))).isGreaterThan(Duration.ofSeconds(9));
    }

    private static Duration steadyValidity(ServerTick tick) {
        SessionValidity session = new SessionValidity(TIMEOUT, tick, at(99_990));
        Duration shortest = TIMEOUT;
        long sent = 100_000;
        for (int i = 0; i < 100; i++) {
            session.acknowledged(at(sent), at(sent + 10).nanoTime());
            Validity validity = session.validity(TIMEOUT.toNanos(), at(sent + 10));
            assertThat(validity.renewAfter())
                    .isLessThanOrEqualTo(validity.length().dividedBy(2));
            shortest = validity.length().compareTo(shortest) < 0 ? validity.length() : shortest;
            sent += validity.renewAfter().toMillis();
        }
        return shortest;
    }

    /** Three intervals, as the first write after idleness has the least proof just before a request. */
    @Test
    void v8_aHoldSurvives20SecondsOfSilenceRightAfterIdleness() {
        for (long sent = 0; sent <= 28_000; sent += 2_800) {
            exchange(sent);
        }

        write(28_000 + 2_790);

        Validity validity = session.validity(TIMEOUT.toNanos(), at(0));
        assertThat(validity.length()).isGreaterThan(Duration.ofSeconds(21));
    }

    private void exchange(long sent) {
        session.answered(at(sent), at(sent + 10).nanoTime());
    }

    private void write(long sent) {
        session.acknowledged(at(sent), at(sent + 10).nanoTime());
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

    @Test
    void s6_theNewestOfTheRequestsThatFailedWithTheirConnectionsCounts() {
        session.lostWithConnection(at(119_000), at(120_000).nanoTime());
        session.lostWithConnection(at(121_000), at(122_000).nanoTime());
        session.lostWithConnection(at(118_000), at(123_000).nanoTime());

        write(125_000);

        expectUntil(121_000 + COUNTED);
    }

    @Test
    void s6_aLaterProofIsNotShortenedByAnEarlierOne() {
        exchange(100_000);
        exchange(102_100);
        exchange(103_000);
        session.lostWithConnection(at(121_000), at(122_000).nanoTime());
        write(125_000);

        write(126_000);
        expectUntil(121_000 + COUNTED);

        write(127_100);
        write(129_200);
        write(131_300);
        expectUntil(125_000 + COUNTED);
    }

    @Test
    void s6_reorderedAnswersDoNotChangeTheBeginning() {
        write(105_000);
        Moment before = session.validity(TIMEOUT.toNanos(), at(0)).from();

        session.acknowledged(at(104_000), at(105_020).nanoTime());

        assertThat(session.validity(TIMEOUT.toNanos(), at(0)).from()).isEqualTo(before);
    }

    @Test
    void v8_aRenewalFollowsAfterHalfOfAShortValidity() {
        exchange(100_000);
        exchange(102_100);
        exchange(103_000);

        write(128_000);

        Validity validity = session.validity(TIMEOUT.toNanos(), at(128_000));
        assertThat(validity.length()).isEqualTo(Duration.ofMillis(COUNTED - 28_000));
        assertThat(validity.renewAfter()).isEqualTo(validity.length().dividedBy(2));
    }

    @Test
    void s6_theFirstWritesOfAShortSessionAreWorthAThirdOfItsTimeout() {
        write(100_000);

        Validity validity = session.validity(Duration.ofSeconds(15).toNanos(), at(0));

        assertThat(validity.length()).isEqualTo(Duration.ofMillis(14_850 - 10_000));
    }

    @Test
    void v6_exchangesThatProveNothingMoreAreForgotten() {
        WeakReference<Moment> old = exchangeThatIsForgotten(100_000);
        for (long sent = 102_100; sent < 115_000; sent += 2_100) {
            exchange(sent);
        }
        exchange(115_500);
        WeakReference<Moment> soonAfterAnother = exchangeThatIsForgotten(115_600);

        write(116_000);

        Waiting.await("both are collected", Duration.ofSeconds(20), () -> {
            System.gc();
            return old.get() == null && soonAfterAnother.get() == null;
        });
    }

    private WeakReference<Moment> exchangeThatIsForgotten(long sent) {
        Moment at = at(sent);
        session.answered(at, at(sent + 10).nanoTime());
        return new WeakReference<>(at);
    }
}
