package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.engine.HoldLincheckTest.Journal;
import io.github.distlock.engine.HoldLincheckTest.NoStore;
import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The leases of a queue, which may be several: of readers or of permits. */
class LeasesTest {
    private final ThreadlessEngine client = new ThreadlessEngine(new NoStore(), new Journal());
    private final Leases leases = new Leases();

    private Lease lease(String name) {
        Validity validity = Validity.of(client.clock.now(), Duration.ofSeconds(10));
        return HandoffTest.granted(client, name, LockMode.READ, validity);
    }

    @Test
    void v6_aQueueKnowsEachOfItsLeasesUntilThatOneHasEnded() {
        List<Lease> all = Stream.of("a", "b", "c").map(this::lease).toList();
        List<Hold> holds = all.stream().map(lease -> lease.offer().hold()).toList();

        all.forEach(leases::add);
        assertThat(all).allMatch(leases::contains);
        assertThat(leases.holds()).containsExactlyElementsOf(holds);

        leases.remove(all.get(1));
        assertThat(all).filteredOn(leases::contains).containsExactly(all.get(0), all.get(2));
        leases.remove(all.get(0));
        assertThat(all).filteredOn(leases::contains).containsExactly(all.get(2));
        assertThat(leases.isEmpty()).isFalse();
        leases.remove(all.get(2));
        assertThat(leases.isEmpty()).isTrue();
    }
}
