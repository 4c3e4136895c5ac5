package io.github.distlock;

import com.google.errorprone.annotations.CanIgnoreReturnValue;

/**
 * Tokens out of a grant's base and the number of times it was passed on: {@code base * 256 + pass}. The store's bases rise
 * strictly, so tokens do, without reserving ranges at the store.
 */
final class FencingTokens {
    static final int MAX_PASSES = 255;
    private static final int PASS_BITS = 8;
    private static final long LARGEST_BASE = (1L << 55) - 1;

    private FencingTokens() {}

    static long token(long base, int pass) {
        return (requireBase(base) << PASS_BITS) + pass;
    }

    @CanIgnoreReturnValue
    static long requireBase(long base) {
        if (base < 1 || base > LARGEST_BASE) {
            throw new IllegalArgumentException("fencing base must be from 1 to 2^55 - 1, but was " + base);
        }
        return base;
    }
}
