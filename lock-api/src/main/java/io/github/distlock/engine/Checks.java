package io.github.distlock.engine;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** Checks what callers pass. Each error names the parameter. */
public final class Checks {
    public static final Duration LONGEST_LEASE = Duration.ofHours(24);
    public static final Duration LONGEST_LOCK_DELAY = Duration.ofMinutes(1);
    private static final Duration LONGEST_WAIT = Duration.ofDays(36_500);
    /** A hundred years, in nanoseconds. Sums with the clock cannot overflow. */
    static final long FOREVER = LONGEST_WAIT.toNanos();

    private static final int LONGEST_NAME = 1_024;

    private Checks() {}

    @CanIgnoreReturnValue
    public static String name(String name) {
        if (requireNonNull(name, "name").isBlank()) {
            throw new IllegalArgumentException("name must not be blank");
        }
        requireShort(name, "name");
        return name;
    }

    /** Checks the beginning of a name, which may be empty. */
    static void prefix(String prefix) {
        requireShort(requireNonNull(prefix, "prefix"), "prefix");
    }

    private static void requireShort(String text, String parameter) {
        int length;
        try {
            length = StandardCharsets.UTF_8
                    .newEncoder()
                    .encode(CharBuffer.wrap(text))
                    .remaining();
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException(parameter + " must not have unpaired surrogates", e);
        }
        if (length > LONGEST_NAME) {
            throw new IllegalArgumentException(
                    parameter + " must have at most " + LONGEST_NAME + " bytes in UTF-8, but had " + length);
        }
    }

    static void count(int value, String parameter, int most) {
        if (value < 1 || value > most) {
            throw new IllegalArgumentException(parameter + " must be from 1 to " + most + ", but was " + value);
        }
    }

    public static Duration duration(Duration value, String parameter, Duration least, Duration most) {
        requireNonNull(value, parameter);
        if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
            throw new IllegalArgumentException(
                    parameter + " must be from " + least + " to " + most + ", but was " + value);
        }
        return value;
    }

    public static Duration lease(Duration lease) {
        return duration(lease, "lease", Duration.ofMillis(1), LONGEST_LEASE);
    }

    /** Returns a positive time in nanoseconds, up to {@link #FOREVER}. */
    static long positiveNanos(Duration time, String parameter) {
        requireNonNull(time, parameter);
        if (time.isNegative() || time.isZero()) {
            throw new IllegalArgumentException(parameter + " must be positive, but was " + time);
        }
        return waitNanos(time);
    }

    /** Returns a wait in nanoseconds, from zero to {@link #FOREVER}. */
    static long waitNanos(Duration wait) {
        if (wait.isNegative()) {
            return 0;
        }
        return wait.compareTo(LONGEST_WAIT) > 0 ? FOREVER : wait.toNanos();
    }
}
