package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Which requests for release a listener may hear of. */
class HeardRequestsTest {
    private static final long SECOND = 1_000_000_000L;
    private static final long EXCHANGE = SECOND / 10;

    private final Simulation simulation = new Simulation(1, null);
    private final HeardRequests.Exchanges exchanges = new HeardRequests.Exchanges();
    private final HeardRequests requests = new HeardRequests(simulation);

    private void after(long nanos) {
        long end = simulation.nanoTime() + nanos;
        simulation.at(end, () -> {});
        simulation.run(end, () -> false);
    }

    private HeardRequests.Listener listener(boolean beginsGrant) {
        return listener(1, simulation.nanoTime(), beginsGrant);
    }

    private HeardRequests.Listener listener(long token, long called, boolean beginsGrant) {
        return requests.new Listener("lock", token, called, beginsGrant, exchanges);
    }

    private void exchange() {
        exchanges.add(simulation.nanoTime(), simulation.nanoTime() + EXCHANGE);
    }

    private void request() {
        requests.answered(requests.send("lock"));
        after(1);
    }

    @Test
    void v12_eachRequestMayBeHeardOnce() {
        HeardRequests.Listener listener = listener(true);
        request();
        request();

        assertThat(listener.hear()).isFalse();
        assertThat(listener.hear()).isFalse();
        assertThat(listener.hear()).isTrue();
    }

    @Test
    void v12_aRequestFromBeforeTheGrantMayNotBeHeard() {
        request();

        assertThat(listener(true).hear()).isTrue();
    }

    @Test
    void v12_aLocalHandoffMayFollowARequestByARoundTrip() {
        request();
        after(EXCHANGE / 2);
        exchange();

        assertThat(listener(false).hear()).isFalse();
        after(EXCHANGE);
        assertThat(listener(false).hear()).isTrue();
    }

    @Test
    void v12_aHoldBeginsWhenTheOneBeforeItIsReleased() {
        long called = simulation.nanoTime();
        request();
        after(EXCHANGE);
        requests.release("lock", 257);

        assertThat(listener(258, called, false).hear()).isTrue();
        assertThat(listener(259, called, false).hear()).isFalse();
    }

    @Test
    void v12_aRequestWithoutAnAnswerMayComeLater() {
        HeardRequests.Request unused = requests.send("lock");
        after(2 * SECOND);

        assertThat(listener(true).hear()).isFalse();
    }
}
