package io.github.distlock.cli;

import io.github.distlock.LockException;
import io.github.distlock.spi.RequestRefusedException;

/** The exit codes, which scripts rely on. Most are those of {@code sysexits.h}. */
final class ExitCode {
    /** The verb has found nothing to release, or an error at the server. */
    static final int NOT_OK = 1;

    static final int USAGE = 64;
    static final int UNAVAILABLE = 69;
    static final int INTERNAL = 70;
    static final int BUSY = 75;
    static final int REFUSED = 77;
    static final int LOST = 80;
    /** This and the number of a signal: the signal has ended the command, or the wait for the lock. */
    static final int SIGNAL = 128;

    private ExitCode() {}

    /** Returns the code for what a verb has ended with. */
    static int of(Throwable failure) {
        if (failure instanceof Failure known) {
            return known.exitCode;
        }
        if (failure instanceof IllegalArgumentException || failure instanceof UnsupportedOperationException) {
            return USAGE;
        }
        return failure instanceof LockException ? ofStore(failure) : INTERNAL;
    }

    private static int ofStore(Throwable failure) {
        for (Throwable each = failure; each != null; each = each.getCause()) {
            if (each instanceof RequestRefusedException) {
                return REFUSED;
            }
        }
        return UNAVAILABLE;
    }
}
