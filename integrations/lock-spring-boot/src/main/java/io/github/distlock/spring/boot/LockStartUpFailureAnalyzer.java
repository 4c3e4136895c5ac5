package io.github.distlock.spring.boot;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/** Lets Boot print a failed start-up as a problem and its remedy, without stack traces. */
final class LockStartUpFailureAnalyzer extends AbstractFailureAnalyzer<LockStartUpException> {

    @Override
    protected FailureAnalysis analyze(Throwable rootFailure, LockStartUpException cause) {
        return new FailureAnalysis(cause.problem, cause.remedy, cause);
    }
}
