package io.github.distlock.engine;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * Fencing tokens. A token is {@code base * 256 + n}, where the base comes from the store and n is the number of local
 * handoffs since. The store's bases rise strictly, so tokens do, without a range reserved at the store.
 */
public final class FencingTokens {
    public static final int MAX_HANDOFFS = 255;
    private static final int HANDOFF_BITS = 8;
    private static final long LARGEST_BASE = (1L << 55) - 1;

    private FencingTokens() {}

    /** Returns the first token of a base. */
    public static long first(long base) {
        return requireBase(base) << HANDOFF_BITS;
    }

    /** Returns the base of a token. Throws if no token has this value, with the name of the parameter. */
    static long base(long token, String parameter) {
        long least = first(1);
        if (token < least) {
            throw new IllegalArgumentException(
                    parameter + " must be a fencing token, which is at least " + least + ", but was " + token);
        }
        return token >> HANDOFF_BITS;
    }

    @CanIgnoreReturnValue
    static long requireBase(long base) {
        if (base < 1 || base > LARGEST_BASE) {
            throw new IllegalArgumentException("fencing base must be from 1 to 2^55 - 1, but was " + base);
        }
        return base;
    }
}
