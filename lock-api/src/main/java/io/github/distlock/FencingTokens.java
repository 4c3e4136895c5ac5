package io.github.distlock;

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
        if (base < 1 || base > LARGEST_BASE) {
            throw new IllegalArgumentException("fencing base must be from 1 to 2^55 - 1, but was " + base);
        }
        return (base << PASS_BITS) + pass;
    }
}
