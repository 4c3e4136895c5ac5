package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.api.Test;

class ServerTickTest {
    private static final Duration TIMEOUT = Duration.ofSeconds(30);
    private static final Duration TICK = Duration.ofSeconds(2);

    @Test
    void s6_aTickThatTheApplicationHasSetIsNotLearned() {
        ServerTick tick = new ServerTick(TICK);

        tick.learned(Duration.ofSeconds(9));

        assertThat(tick.isSet()).isTrue();
        assertThat(tick.isKnown()).isTrue();
        assertThat(tick.within(TIMEOUT)).isEqualTo(TICK);
    }

    @Test
    void s6_aTickIsLearnedAndForgotten() {
        ServerTick tick = new ServerTick(null);
        assertThat(tick.isSet()).isFalse();
        assertThat(tick.isKnown()).isFalse();

        tick.learned(TICK);
        assertThat(tick.isKnown()).isTrue();
        assertThat(tick.within(TIMEOUT)).isEqualTo(TICK);

        tick.learned(null);
        assertThat(tick.isKnown()).isFalse();
        assertThat(tick.within(TIMEOUT)).isEqualTo(TIMEOUT.dividedBy(2));
    }

    @Test
    void s6_aTickIsAtMostHalfOfTheTimeout() {
        assertThat(new ServerTick(Duration.ofSeconds(16)).within(TIMEOUT)).isEqualTo(Duration.ofSeconds(15));
    }

    @Test
    void v1_aSessionEndsATickAfterItsTimeout() {
        assertThat(new ServerTick(TICK).expiry(TIMEOUT)).isEqualTo(TIMEOUT.plus(TICK));
    }
}
