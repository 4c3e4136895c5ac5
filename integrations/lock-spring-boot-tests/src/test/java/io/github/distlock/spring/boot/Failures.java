package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.assertj.ApplicationContextAssertProvider;
import org.springframework.core.io.support.SpringFactoriesLoader;

/** What Boot prints about a failed start-up. */
final class Failures {
    private Failures() {}

    /** Checks what Boot's analysis of the failure says: the problem, then what to do. */
    static void assertThatStartUpFails(ApplicationContextAssertProvider<?> context, String problem, String remedy) {
        FailureAnalysis analysis = analyze(context.getStartupFailure());
        assertThat(analysis.getDescription()).contains(problem);
        assertThat(analysis.getAction()).contains(remedy);
    }

    static FailureAnalysis analyze(Throwable failure) {
        // Those of Boot itself need a bean factory.
        List<FailureAnalyzer> analyzers = SpringFactoriesLoader.forDefaultResourceLocation(
                        Failures.class.getClassLoader())
                .load(FailureAnalyzer.class, (type, name, cannotBeMade) -> {});
        return analyzers.stream()
                .filter(LockStartUpFailureAnalyzer.class::isInstance)
                .findFirst()
                .orElseThrow()
                .analyze(failure);
    }
}
