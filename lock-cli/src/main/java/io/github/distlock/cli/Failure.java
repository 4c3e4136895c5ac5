package io.github.distlock.cli;

import java.io.Serial;

/** A verb cannot do what it was asked for. The message is for the user, and the exit code for scripts. */
final class Failure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    final int exitCode;

    Failure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }
}
