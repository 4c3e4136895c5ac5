package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The keys of one lock, in the order in which the scripts take them. They are in one slot of a cluster: the helper keys
 * have the lock key as their hash tag, or the hash tag of the lock key if it has one. All helper keys begin with the
 * prefix of the backend. No lock key is the helper key of another lock, because an encoded name has no braces.
 */
final class LockKeys {
    private static final String ALIVE = "alive";
    private static final String OPEN = "{";
    private static final String CLOSE = "}";
    private static final Pattern CODE = Pattern.compile("%([0-9a-f]{2})");
    private static final Pattern SPECIAL = Pattern.compile("[\\\\*?\\[\\]]");
    /** No other key has this name, because an encoded name has no braces, and no helper key has this ending. */
    private static final byte[] SINCE = "distlock:{quorum}:since".getBytes(UTF_8);

    final String name;
    private final byte[] lock;
    private final byte[] token;
    private final byte[] queue;
    private final byte[] alive;
    private final byte[] holders;
    private final byte[] requested;

    /**
     * Returns the keys of a lock.
     *
     * @param keyOfName maps the lock's name to its key
     * @param prefix the beginning of the helper keys
     * @throws RequestRefusedException if the mapping fails, or if its key cannot have helper keys in its slot
     */
    static LockKeys of(String name, Function<String, String> keyOfName, String prefix) {
        String key;
        try {
            key = keyOfName.apply(name);
        } catch (RuntimeException e) {
            throw new RequestRefusedException("lock \"" + name + "\" cannot be mapped to a key: " + e, e);
        }
        if (key == null) {
            throw new RequestRefusedException("lock \"" + name + "\" is mapped to no key", null);
        }
        return of(name, key, prefix);
    }

    private static LockKeys of(String name, String lockKey, String prefix) {
        if (hasHashTag(lockKey)) {
            return new LockKeys(name, lockKey, prefix + lockKey + OPEN, CLOSE);
        }
        if (lockKey.isEmpty() || lockKey.indexOf('}') >= 0) {
            throw new RequestRefusedException(
                    "lock \"" + name + "\" is mapped to the key \"" + lockKey
                            + "\", which must not be empty, nor have a closing brace without a hash tag",
                    null);
        }
        return new LockKeys(name, lockKey, prefix + "{" + lockKey + "}:", "");
    }

    private LockKeys(String name, String lockKey, String before, String after) {
        this.name = name;
        this.lock = lockKey.getBytes(UTF_8);
        this.token = (before + "token" + after).getBytes(UTF_8);
        this.queue = (before + "queue" + after).getBytes(UTF_8);
        this.alive = (before + ALIVE + after).getBytes(UTF_8);
        this.holders = (before + "holders" + after).getBytes(UTF_8);
        this.requested = (before + "requested" + after).getBytes(UTF_8);
    }

    /** Returns all keys of a lock: its own, the token, the queue, and the signs of life. */
    List<byte[]> all() {
        return List.of(lock, token, queue, alive);
    }

    /** Returns all keys of a read-write lock or a semaphore: {@link #all}, and the holders. */
    List<byte[]> withHolders() {
        return List.of(lock, token, queue, alive, holders);
    }

    /** Returns all keys of a read-write lock or a semaphore, and the last request to release it. */
    List<byte[]> withRequested() {
        return List.of(lock, token, queue, alive, holders, requested);
    }

    /** Returns the key with the last request to release the lock. */
    List<byte[]> requestedAlone() {
        return List.of(requested);
    }

    /**
     * Returns all keys of a lock, and the key that says since when the server has had its data. That key is one for all
     * locks.
     */
    List<byte[]> withSince() {
        return List.of(lock, token, queue, alive, SINCE);
    }

    /** Returns the lock key and the holders. */
    List<byte[]> lockAndHolders() {
        return List.of(lock, holders);
    }

    /** Returns the lock key, the holders and the token key. */
    List<byte[]> lockHoldersAndToken() {
        return List.of(lock, holders, token);
    }

    /** Returns the lock key. */
    List<byte[]> lockAlone() {
        return List.of(lock);
    }

    /** Returns the key with the signs of life of waiters. */
    List<byte[]> aliveAlone() {
        return List.of(alive);
    }

    /** Returns the token key. */
    byte[] token() {
        return token;
    }

    /** Returns the lock key, whose slot is that of all keys. */
    byte[] lock() {
        return lock;
    }

    /** Returns the lock key and the token key. */
    List<byte[]> lockAndToken() {
        return List.of(lock, token);
    }

    @Override
    public String toString() {
        return new String(lock, UTF_8);
    }

    /** Returns whether a cluster hashes only a part of the key: the text between the first brace and the next one. */
    static boolean hasHashTag(String key) {
        int open = key.indexOf('{');
        return open >= 0 && key.indexOf('}', open) > open + 1;
    }

    /** Returns a name as a part of a key: braces, percent signs, spaces and control characters in percent code. */
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

    /** Returns the name that a text {@linkplain #encode encodes}, or null if it encodes no name. */
    private static @Nullable String decode(String encoded) {
        Matcher codes = CODE.matcher(encoded);
        String name = codes.replaceAll(
                code -> Matcher.quoteReplacement(Character.toString(Integer.parseInt(code.group(1), 16))));
        return !name.isEmpty() && encode(name).equals(encoded) ? name : null;
    }

    /** Returns the pattern of the lock keys of all names that begin with a text, and of no helper key. */
    static String lockPattern(String prefix, String beginOfName) {
        return literally(prefix) + (beginOfName.isEmpty() ? "[^{]" : literally(encode(beginOfName))) + "*";
    }

    /** Returns the pattern of the keys with the signs of life, of all names that begin with a text. */
    static String alivePattern(String prefix, String beginOfName) {
        return literally(beforeLockKey(prefix) + prefix + encode(beginOfName)) + "*" + literally(afterLockKey(prefix));
    }

    /** Returns the name of a lock key, or null if it is no lock key. */
    static @Nullable String nameOfLockKey(String key, String prefix) {
        return key.startsWith(prefix) ? decode(key.substring(prefix.length())) : null;
    }

    /** Returns the name of a key with signs of life, or null if it is another key. */
    static @Nullable String nameOfAliveKey(String key, String prefix) {
        String before = beforeLockKey(prefix);
        String after = afterLockKey(prefix);
        return key.length() > before.length() + after.length() && key.startsWith(before) && key.endsWith(after)
                ? nameOfLockKey(key.substring(before.length(), key.length() - after.length()), prefix)
                : null;
    }

    /** Returns what is before the lock key in the key with the signs of life. */
    private static String beforeLockKey(String prefix) {
        return hasHashTag(prefix) ? prefix : prefix + "{";
    }

    private static String afterLockKey(String prefix) {
        return hasHashTag(prefix) ? OPEN + ALIVE + CLOSE : "}:" + ALIVE;
    }

    /** Returns a text as a pattern that matches it alone. */
    private static String literally(String text) {
        return SPECIAL.matcher(text).replaceAll("\\\\$0");
    }
}
