package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class HeldNodesTest {
    private static final int MOST = 1_000;

    @Test
    void v6_theNodesOfTheLastGrantsAreKept() {
        HeldNodes nodes = new HeldNodes();

        for (int i = 0; i <= MOST; i++) {
            nodes.add("/lock/" + i);
        }

        assertThat(nodes.contains("/lock/0")).isFalse();
        assertThat(nodes.contains("/lock/1")).isTrue();
        assertThat(nodes.contains("/lock/" + MOST)).isTrue();
    }
}
