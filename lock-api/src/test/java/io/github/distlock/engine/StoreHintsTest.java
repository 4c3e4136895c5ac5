package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Signals of the store before and after a downgrade: each that matters reaches the lease that is there. */
class StoreHintsTest {
    private final List<String> heard = new ArrayList<>();
    private final List<String> heardAfter = new ArrayList<>();
    private final StoreHints hints = new StoreHints(target(heard));
    private final StoreHints successor = new StoreHints(target(heardAfter));

    private static StoreHints.Target target(List<String> heard) {
        return new StoreHints.Target() {
            @Override
            public void wanted() {
                heard.add("wanted");
            }

            @Override
            public void suspect() {
                heard.add("suspect");
            }

            @Override
            public void gone() {
                heard.add("gone");
            }
        };
    }

    private void signalAll() {
        hints.wanted();
        hints.suspect();
        hints.gone();
    }

    @Test
    void s6_signalsReachTheLease() {
        assertThat(hints.isWanted()).isFalse();

        signalAll();

        assertThat(hints.isWanted()).isTrue();
        assertThat(heard).containsExactly("wanted", "suspect", "gone");
    }

    @Test
    void s6_signalsAfterADowngradeReachOnlyTheReadLease() {
        hints.setSuccessor(successor);
        assertThat(heardAfter).isEmpty();

        signalAll();

        assertThat(successor.isWanted()).isTrue();
        assertThat(heardAfter).containsExactly("wanted", "suspect", "gone");
        assertThat(heard).isEmpty();
    }

    @Test
    void s6_theReadLeaseHearsWhatCameDuringTheDowngrade() {
        signalAll();

        hints.setSuccessor(successor);

        assertThat(heardAfter)
                .as("a connection that is in doubt now is signaled again")
                .containsExactly("wanted", "gone");
    }
}
