package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class SeenQueuesTest {
    private static final int MOST = 1_000;

    private final SeenQueues queues = new SeenQueues();

    @Test
    void v3_theLastLengthOfAQueueIsKnownUntilItIsForgotten() {
        assertThat(queues.count("/a")).isEmpty();

        queues.note("/a", 3);
        queues.note("/a", 2);
        assertThat(queues.count("/a")).hasValue(2);

        queues.forget("/a");
        assertThat(queues.count("/a")).isEmpty();
    }

    @Test
    void v6_theDirectoriesThatWereUsedLastAreKept() {
        for (int i = 0; i < MOST; i++) {
            queues.note("/" + i, i);
        }
        assertThat(queues.count("/0")).hasValue(0);

        queues.note("/another", 1);

        assertThat(queues.count("/0")).hasValue(0);
        assertThat(queues.count("/1")).isEmpty();
        assertThat(queues.count("/2")).hasValue(2);
    }

    @Test
    void v6_manyDirectoriesTakeBoundedMemory() {
        SeenDirectories directories = new SeenDirectories();
        assertThat(directories.contains("/0")).isFalse();
        for (int i = 0; i < MOST; i++) {
            assertThat(directories.contains("/" + i)).isFalse();
            assertThat(directories.add("/" + i)).isTrue();
            assertThat(directories.add("/" + i)).isFalse();
        }

        assertThat(directories.contains("/another")).isTrue();
        assertThat(directories.add("/another")).isFalse();
    }
}
