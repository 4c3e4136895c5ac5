package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;

/** The hints for native images. */
class HintsTest {
    @Test
    void theAnswersOfTheEndpointCanBeWrittenAsJson() {
        RuntimeHints hints = new RuntimeHints();

        new DistlockRuntimeHints().registerHints(hints, HintsTest.class.getClassLoader());

        assertThat(Arrays.stream(LocksEndpoint.class.getDeclaredClasses()))
                .hasSizeGreaterThan(6)
                .allMatch(answer ->
                        RuntimeHintsPredicates.reflection().onType(answer).test(hints));
    }
}
