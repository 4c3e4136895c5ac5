package io.github.distlock.zookeeper;

import io.github.distlock.LockOwner;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What a node's data says about its owner: a line each, for people with a shell and for the inspector. Other clients
 * put something else there (Curator: the machine's address), which is shown as it is.
 *
 * @param owner who made the node
 * @param sessionTimeout of the owner; zero when it does not say
 */
record OwnerData(LockOwner owner, Duration sessionTimeout) {
    private static final int LONGEST_FOREIGN = 100;

    byte[] write() {
        String text = "host=" + line(owner.host())
                + "\nprocess=" + owner.processId()
                + "\nclient=" + line(owner.client())
                + "\nthread=" + line(owner.thread())
                + "\ntimeout=" + sessionTimeout.toMillis()
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
        return new OwnerData(owner, Duration.ofMillis(number(lines.get("timeout"))));
    }

    private static long number(@Nullable String text) {
        try {
            return text == null ? 0 : Math.max(0, Long.parseLong(text));
        } catch (NumberFormatException e) {
            return 0;
        }
    }

    private static String line(String text) {
        return text.replaceAll("\\p{Cntrl}", " ");
    }
}
