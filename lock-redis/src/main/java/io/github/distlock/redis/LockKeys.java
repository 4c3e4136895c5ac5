package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.RequestRefusedException;
import java.util.function.Function;

/**
 * The keys of one lock, as the scripts want them. All are in one slot of a cluster: the helper keys carry the lock key
 * as their hash tag, or its own tag where it has one. No name's lock key is another's helper key, because names do not
 * keep their braces.
 */
final class LockKeys {
    final String name;
    final byte[] lock;
    final byte[] fence;
    final byte[] queue;
    final byte[] heard;

    /**
     * By whatever maps names to keys. Throws {@link RequestRefusedException} where it fails, and as
     * {@link #of(String, String)}.
     */
    static LockKeys of(String name, Function<String, String> keyOfName) {
        String key;
        try {
            key = keyOfName.apply(name);
        } catch (RuntimeException e) {
            throw new RequestRefusedException("lock \"" + name + "\" cannot be mapped to a key: " + e, e);
        }
        if (key == null) {
            throw new RequestRefusedException("lock \"" + name + "\" is mapped to no key", null);
        }
        return of(name, key);
    }

    /** Throws {@link RequestRefusedException} where the key cannot have helper keys in its slot. */
    static LockKeys of(String name, String lockKey) {
        if (hasHashTag(lockKey)) {
            return new LockKeys(name, lockKey, lockKey + "{", "}");
        }
        if (lockKey.isEmpty() || lockKey.indexOf('}') >= 0) {
            throw new RequestRefusedException(
                    "lock \"" + name + "\" is mapped to the key \"" + lockKey
                            + "\", which must not be empty, nor have a closing brace without a hash tag",
                    null);
        }
        return new LockKeys(name, lockKey, "{" + lockKey + "}:", "");
    }

    private LockKeys(String name, String lockKey, String before, String after) {
        this.name = name;
        this.lock = lockKey.getBytes(UTF_8);
        this.fence = (before + "fence" + after).getBytes(UTF_8);
        this.queue = (before + "queue" + after).getBytes(UTF_8);
        this.heard = (before + "heard" + after).getBytes(UTF_8);
    }

    @Override
    public String toString() {
        return new String(lock, UTF_8);
    }

    /** The part of the key that a cluster hashes: between the first brace and the next closing one, unless empty. */
    private static boolean hasHashTag(String key) {
        int open = key.indexOf('{');
        return open >= 0 && key.indexOf('}', open) > open + 1;
    }

    /**
     * A name as a part of a key: braces, percent signs and control characters in percent code, so that names stay
     * apart.
     */
    static String encode(String name) {
        StringBuilder encoded = null;
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            boolean plain = c > ' ' && c != '{' && c != '}' && c != '%' && c != 0x7f;
            if (!plain && encoded == null) {
                encoded = new StringBuilder(name.length() + 16).append(name, 0, i);
            }
            if (encoded != null) {
                if (plain) {
                    encoded.append(c);
                } else {
                    encoded.append('%').append(Character.forDigit(c >> 4, 16)).append(Character.forDigit(c & 15, 16));
                }
            }
        }
        return encoded == null ? name : encoded.toString();
    }
}
