package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A node's data, which describes the node's owner in one line per field. Operators and the inspector read it. Other
 * libraries write other data (Curator: the machine's address). The inspector shows the first 100 characters of such
 * data as the host.
 *
 * @param owner the caller for which the client created the node
 * @param sessionTimeout the timeout of the session that created the node; zero if the data does not contain it
 * @param base the fencing base of a hold that was noted after its grant: of a writer that has become a reader, and of
 *     permits; otherwise zero
 * @param keptFor how long a {@link KeptLock} counts; zero in the data of other nodes
 * @param lockDelay how long the {@link KeptLock} counts that takes the place of a {@link Companion}; zero in the data
 *     of other nodes
 * @param id tells {@link ReleaseRequests} apart; empty in the data of other nodes
 */
record OwnerData(LockOwner owner, Duration sessionTimeout, long base, Duration keptFor, Duration lockDelay, String id) {
    private static final int LONGEST_FOREIGN = 100;

    OwnerData(LockOwner owner, Duration sessionTimeout) {
        this(owner, sessionTimeout, 0);
    }

    OwnerData(LockOwner owner, Duration sessionTimeout, long base) {
        this(owner, sessionTimeout, base, Duration.ZERO);
    }

    OwnerData(LockOwner owner, Duration sessionTimeout, long base, Duration keptFor) {
        this(owner, sessionTimeout, base, keptFor, Duration.ZERO, "");
    }

    /** Returns whether another program has written the data. */
    boolean isForeign() {
        return sessionTimeout.isZero();
    }

    byte[] write() {
        String text = "host=" + line(owner.host())
                + "\nprocess=" + owner.processId()
                + "\nclient=" + line(owner.client())
                + "\nthread=" + line(owner.thread())
                + "\ntimeout=" + sessionTimeout.toMillis()
                + (base == 0 ? "" : "\nbase=" + base)
                + (keptFor.isZero() ? "" : "\nkept=" + keptFor.toMillis())
                + (lockDelay.isZero() ? "" : "\ndelay=" + lockDelay.toMillis())
                + (id.isEmpty() ? "" : "\nid=" + id)
                + "\n";
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static OwnerData read(byte @Nullable [] data) {
        String text = data == null ? "" : new String(data, StandardCharsets.UTF_8);
        Map<String, String> lines = new HashMap<>();
        text.lines().forEach(line -> {
            int equals = line.indexOf('=');
            if (equals > 0) {
                lines.put(line.substring(0, equals), line.substring(equals + 1));
            }
        });
        String client = lines.get("client");
        if (client == null) {
            String foreign = line(text.substring(0, Math.min(LONGEST_FOREIGN, text.length())));
            return new OwnerData(LockOwner.of(foreign, 0, "unknown", ""), Duration.ZERO);
        }
        LockOwner owner = LockOwner.of(
                lines.getOrDefault("host", ""), number(lines.get("process")), client, lines.getOrDefault("thread", ""));
        return new OwnerData(
                owner,
                Duration.ofMillis(number(lines.get("timeout"))),
                number(lines.get("base")),
                Duration.ofMillis(number(lines.get("kept"))),
                Duration.ofMillis(number(lines.get("delay"))),
                lines.getOrDefault("id", ""));
    }

    private static long number(@Nullable String text) {
        try {
            return text == null ? 0 : Math.max(0, Long.parseLong(text));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static String line(String text) {
        for (int i = 0; i < text.length(); i++) {
            if (Character.isISOControl(text.charAt(i))) {
                return text.replaceAll("\\p{Cntrl}", " ");
            }
        }
        return text;
    }
}
