package io.github.distlock.spring.boot;

import org.jspecify.annotations.Nullable;

/** Ends a start-up. {@link LockStartUpFailureAnalyzer} prints what is wrong and what to do. */
final class LockStartUpException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    final String problem;
    final String remedy;

    LockStartUpException(String problem, String remedy) {
        this(problem, remedy, null);
    }

    LockStartUpException(String problem, String remedy, @Nullable Throwable cause) {
        super(problem + " " + remedy, cause);
        this.problem = problem;
        this.remedy = remedy;
    }
}
