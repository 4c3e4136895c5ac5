package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

/** Wrong arguments are refused before any seed runs. */
class SimulatorTest {
    private static void isRefused(String words, String... arguments) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> {
                    boolean unused = new Simulator(arguments).run();
                })
                .withMessageContaining(words);
    }

    @Test
    void anUnknownStoreIsRefused() {
        isRefused("no store etcd, only [memory", "--store", "etcd");
    }

    @Test
    void anUnknownLockIsRefused() {
        isRefused("no lock lock9, only [lock0", "--only", "lock9");
    }

    @Test
    void anUnknownUserIsRefused() {
        isRefused("not all of --users 1.1,9.9 are among", "--users", "1.1,9.9");
    }

    @Test
    void aStoreWithoutExcludedFaultsIsRefused() {
        isRefused("no fault of zookeeper-stale-leaders", "--store", "zookeeper-stale-leaders", "--excluded");
    }

    @Test
    void anOptionWithoutItsValueIsRefused() {
        isRefused("no value of --seed", "--seed");
    }
}
