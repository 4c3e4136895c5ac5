package io.github.distlock.cli;

import java.io.Serial;
import java.time.Duration;
import java.util.function.Supplier;

/** A verb cannot do what it was asked for. The message is for the user, and the exit code for scripts. */
final class Failure extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    final int exitCode;

    Failure(int exitCode, String message) {
        super(message);
        this.exitCode = exitCode;
    }

    /** Returns a value, and names the option in the message if the library refuses the value of the option. */
    static <T> T naming(String option, Supplier<T> value) {
        try {
            return value.get();
        } catch (IllegalArgumentException e) {
            throw new Failure(ExitCode.USAGE, option + ": " + e.getMessage());
        }
    }

    static void requireRange(String option, int value, int least, int most) {
        if (value < least || value > most) {
            throw new Failure(ExitCode.USAGE, option + " must be from " + least + " to " + most + ", but was " + value);
        }
    }

    static void requirePositive(String option, Duration value) {
        if (value.isZero()) {
            throw new Failure(ExitCode.USAGE, option + " must be longer than nothing");
        }
    }
}
