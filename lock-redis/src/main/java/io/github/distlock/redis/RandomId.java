package io.github.distlock.redis;

import java.security.SecureRandom;
import java.util.Base64;

/**
 * Draws identifiers that no other client draws and that nobody can guess. On Unix, the JDK's default generator mixes
 * bytes of the operating system into each of them. So two copies of one process, restored from a snapshot, draw
 * different ones.
 */
final class RandomId {
    private static final int BYTES = 16;
    private static final SecureRandom RANDOM = new SecureRandom();
    private static final Base64.Encoder TEXT = Base64.getUrlEncoder().withoutPadding();

    private RandomId() {}

    /** Returns 128 random bits as 22 characters, without white space. */
    static String next() {
        byte[] id = new byte[BYTES];
        RANDOM.nextBytes(id);
        return TEXT.encodeToString(id);
    }
}
