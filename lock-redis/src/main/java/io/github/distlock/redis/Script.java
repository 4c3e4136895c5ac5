package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The scripts. Each is a file whose head describes its keys, arguments and replies. A line {@code --#include name}
 * stands for the file of that name, {@code --#publish} for the line of a {@link Publisher}, and {@code --#token-kept}
 * for the time for which the token is kept. The lines between {@code --#each 512} and {@code --#end} stand for 512
 * copies, with {@code KEYS[1]} to {@code KEYS[512]} in place of {@code KEYS[n]}.
 */
final class Script {
    private static final Pattern INCLUDE = Pattern.compile("(?m)^--#include (\\w+)$");

    private static final Pattern EACH = Pattern.compile("(?ms)^ *--#each (\\d+)\n(.*?)^ *--#end\n");

    static final Script ACQUIRE_FREE = new Script("acquire-free");
    static final Script NEXT_BASE = new Script("next-base");
    static final Script RELEASE_ALONE = new Script("release-alone");
    static final Script ACQUIRE = new Script("acquire");
    static final Script ACQUIRE_ALONE = new Script("acquire-alone");
    static final Script RELEASE = new Script("release");
    static final Script RELEASE_MANY = new Script("release-many");
    static final Script KEEP = new Script("keep");
    static final Script KEEP_ALONE = new Script("keep-alone");
    static final Script WITHDRAW = new Script("withdraw");
    static final Script END_ALONE = new Script("end-alone");
    static final Script RENEW = new Script("renew");
    static final Script RENEW_MANY = new Script("renew-many");
    static final Script KEEP_TOKENS = new Script("keep-tokens");
    static final Script HEARTBEAT = new Script("heartbeat");
    static final Script SERVE = new Script("serve");
    static final Script INSPECT = new Script("inspect");
    static final Script FORCE_RELEASE = new Script("force-release");
    static final Script REQUEST_RELEASE = new Script("request-release");
    static final Script READ_REQUEST = new Script("read-request");
    static final Script ACQUIRE_SHARED = new Script("acquire-shared");
    static final Script RELEASE_SHARED = new Script("release-shared");
    static final Script WITHDRAW_SHARED = new Script("withdraw-shared");
    static final Script RENEW_SHARED = new Script("renew-shared");
    static final Script HEARTBEAT_SHARED = new Script("heartbeat-shared");
    static final Script DOWNGRADE = new Script("downgrade");
    static final Script IS_WAITED_FOR = new Script("is-waited-for");
    static final Script TRY_COMMANDS = new Script("try-commands");
    static final Script VOTE = new Script("vote");
    static final Script RAISE = new Script("raise");
    static final Script FENCE = new Script("fence");

    private final String name;
    private final boolean readsHolders;
    private final String template;
    private final Map<Settings, Text> texts = new ConcurrentHashMap<>();
    private volatile @Nullable Text last;

    /**
     * The settings of a backend that are a part of its scripts.
     *
     * @param tokenKept for how long the server keeps a token beyond the lease, in milliseconds
     */
    record Settings(Publisher publisher, long tokenKept) {
        private String applied(String template) {
            return template.replace("--#publish", publisher.line)
                    .replace("--#token-kept", "local TOKEN_KEPT = " + tokenKept);
        }
    }

    /** The text of a script, and its digest. */
    static final class Text {
        final byte[] source;
        final byte[] sha;
        private final Settings settings;

        private Text(byte[] source, Settings settings) {
            this.source = source;
            this.settings = settings;
            this.sha = digest(source);
        }
    }

    private Script(String name) {
        this.name = name;
        template = withCopies(withIncludes(read(name)));
        readsHolders = template.contains("KEYS[5]");
    }

    private static byte[] digest(byte[] source) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-1").digest(source);
            return HexFormat.of().formatHex(digest).getBytes(UTF_8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-1", e);
        }
    }

    private static String withIncludes(String text) {
        return INCLUDE.matcher(text).replaceAll(include -> Matcher.quoteReplacement(read(include.group(1))));
    }

    private static String withCopies(String text) {
        return EACH.matcher(text)
                .replaceAll(each -> IntStream.rangeClosed(1, Integer.parseInt(each.group(1)))
                        .mapToObj(n -> Matcher.quoteReplacement(each.group(2).replace("KEYS[n]", "KEYS[" + n + "]")))
                        .collect(Collectors.joining()));
    }

    private static String read(String name) {
        try (InputStream file = Script.class.getResourceAsStream(name + ".lua")) {
            if (file == null) {
                throw new IllegalStateException("the script " + name + ".lua is missing");
            }
            return new String(file.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    Text text(Settings settings) {
        Text known = last;
        if (known == null || !known.settings.equals(settings)) {
            known = texts.computeIfAbsent(
                    settings, any -> new Text(settings.applied(template).getBytes(UTF_8), settings));
            last = known;
        }
        return known;
    }

    /** Returns the keys that the script names, if it names no selection of them. */
    List<byte[]> keysOf(LockKeys keys) {
        return readsHolders ? keys.withHolders() : keys.all();
    }

    /** Returns how many keys {@link #alone} names. */
    int keysAlone() {
        return this == RENEW_SHARED ? 2 : 1;
    }

    /**
     * Returns the script that takes the same arguments and does as much of the work as possible with the keys that
     * exist while the lock is held: the lock key, and for readers and permits the key of the holders. Returns null if
     * this script has no such variant.
     */
    @Nullable
    Script alone() {
        if (this == ACQUIRE) {
            return ACQUIRE_ALONE;
        }
        if (this == RELEASE || this == WITHDRAW) {
            return END_ALONE;
        }
        if (this == KEEP) {
            return KEEP_ALONE;
        }
        return this == RENEW || this == RENEW_SHARED ? this : null;
    }

    /** Returns whether the script acquires a lock, enters its queue, or mints another base. */
    boolean mayGrant() {
        return isShort() || this == ACQUIRE || this == ACQUIRE_ALONE || this == ACQUIRE_SHARED;
    }

    /** Returns whether an answer to a script that {@link #mayGrant} says that the contender holds the lock. */
    boolean grants(List<?> answer) {
        return isShort() ? !answer.isEmpty() : Replies.number(answer.get(0)) == 1;
    }

    private boolean isShort() {
        return this == ACQUIRE_FREE || this == NEXT_BASE;
    }

    @Override
    public String toString() {
        return name;
    }
}
