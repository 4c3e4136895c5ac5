package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** What a queue knows of the store's last answer. */
class LastAnswerTest {
    private final LastAnswer last = new LastAnswer();

    @Test
    void v4_anAnswerCountsForThoseThatBeganBeforeIt() {
        assertThat(last.cameSince(0)).isFalse();

        var unused = last.note(10);

        assertThat(last.cameSince(9)).isTrue();
        assertThat(last.cameSince(10)).isTrue();
        assertThat(last.cameSince(11)).isFalse();
    }

    @Test
    void v4_onlyTheNextAnswerIsForThoseThatLinger() {
        assertThat(last.note(1)).isFalse();

        last.linger();

        assertThat(last.note(2)).isTrue();
        assertThat(last.note(3)).isFalse();
    }
}
