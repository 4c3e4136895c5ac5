package io.github.distlock.redis;

import io.github.distlock.redis.HealthFinding.Severity;
import io.github.distlock.redis.HealthFinding.Subject;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What the reports of one server mean for its locks. A field that the report lacks leads to no finding, because cloud
 * services hide some. {@code operations.md} explains each recommendation. Not thread-safe.
 */
final class HealthRules {
    private static final int OLDEST_MAJOR = 6;
    private static final int OLDEST_MINOR = 2;
    /** A server that has used more of its memory than this may soon refuse acquires. */
    private static final double FULL = 0.8;
    /** Replicas report once per second. */
    private static final long LONGEST_LAG_SECONDS = 2;

    private static final long LARGEST_OFFSET_MILLIS = 1_000;
    private static final int SLOTS = 16_384;
    private static final Pattern VERSION = Pattern.compile("(\\d+)\\.(\\d+).*");
    private static final String STOPS_GRANTING =
            "Until the holders' next renewals, other clients can acquire locks that are held.";

    private final String server;
    private final boolean failsOver;
    private final List<HealthFinding> findings = new ArrayList<>();

    /**
     * Begins without findings.
     *
     * @param failsOver whether the deployment puts a replica in the place of a server that has failed
     */
    HealthRules(String server, boolean failsOver) {
        this.server = server;
        this.failsOver = failsOver;
    }

    List<HealthFinding> findings() {
        return List.copyOf(findings);
    }

    void add(Severity severity, Subject subject, String found, String consequence, String remedy) {
        findings.add(new HealthFinding(severity, subject, server, found, consequence, remedy));
    }

    /** Returns the fields of a report: lines of a name, a colon and a value. */
    static Map<String, String> fields(String report) {
        Map<String, String> fields = new HashMap<>();
        report.lines().forEach(line -> {
            int colon = line.indexOf(':');
            if (colon > 0) {
                fields.put(line.substring(0, colon), line.substring(colon + 1).strip());
            }
        });
        return fields;
    }

    /** Looks at what {@code INFO} says. */
    void server(Map<String, String> info) {
        version(info.getOrDefault("redis_version", ""));
        role(info);
        if (info.getOrDefault("cluster_enabled", "0").equals("1") && !failsOver) {
            add(
                    Severity.ERROR,
                    Subject.CLUSTER,
                    "The server is a node of a cluster.",
                    "Locks whose slots other nodes serve fail with MOVED.",
                    "Connect with redis-cluster://, or supply a client for clusters.");
        }
        memory(info);
        persistence(info);
        if (info.getOrDefault("role", "").equals("master")) {
            replication(info);
        }
    }

    private void version(String version) {
        Matcher numbers = VERSION.matcher(version);
        if (!numbers.matches()) {
            return;
        }
        int major = Integer.parseInt(numbers.group(1));
        int minor = Integer.parseInt(numbers.group(2));
        if (major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR)) {
            add(
                    Severity.ERROR,
                    Subject.VERSION,
                    "The server is Redis " + version + ".",
                    "It does not know SET with the option GET, so acquires fail.",
                    "Use Redis " + OLDEST_MAJOR + "." + OLDEST_MINOR + " or newer.");
        }
    }

    private void role(Map<String, String> info) {
        String role = info.getOrDefault("role", "");
        if (role.equals("slave")) {
            String primary = info.getOrDefault("master_host", "?") + ":" + info.getOrDefault("master_port", "?");
            add(
                    Severity.ERROR,
                    Subject.ROLE,
                    "The server is a replica of " + primary + ".",
                    "It refuses acquires, renewals and releases. If it is writable, its locks exclude no client of the"
                            + " primary.",
                    "Connect to the primary. With redis-sentinel:// or redis-cluster://, the client finds it.");
        }
        if (info.getOrDefault("redis_mode", "").equals("sentinel")) {
            add(
                    Severity.ERROR,
                    Subject.ROLE,
                    "The server is a sentinel.",
                    "It keeps no locks.",
                    "Connect with redis-sentinel://host:port/primary.");
        }
        if (info.getOrDefault("loading", "0").equals("1")) {
            add(
                    Severity.ERROR,
                    Subject.ROLE,
                    "The server is loading its data.",
                    "It refuses all requests with LOADING until it is done. Acquires wait as during an outage.",
                    "Wait, and check again.");
        }
    }

    private void memory(Map<String, String> info) {
        policy(info.getOrDefault("maxmemory_policy", ""), number(info, "maxmemory"));
        long limit = number(info, "maxmemory");
        long used = number(info, "used_memory");
        if (limit > 0 && used > FULL * limit) {
            add(
                    Severity.WARNING,
                    Subject.MEMORY,
                    "The server uses " + used + " of " + limit + " bytes.",
                    "When its memory is full, acquires fail with OOM, unless the server evicts keys.",
                    "Raise maxmemory, or keep other data in another instance.");
        }
    }

    private void policy(String policy, long limit) {
        if (policy.isEmpty() || policy.equals("noeviction")) {
            return;
        }
        add(
                limit > 0 ? Severity.ERROR : Severity.WARNING,
                Subject.MEMORY,
                "maxmemory-policy is " + policy + (limit > 0 ? "." : ", and maxmemory is not set."),
                "A server that reaches maxmemory deletes keys of locks. " + STOPS_GRANTING,
                "Set maxmemory-policy noeviction. Run a cache that evicts as another instance.");
    }

    private void persistence(Map<String, String> info) {
        if (info.getOrDefault("aof_enabled", "1").equals("0")) {
            add(
                    Severity.WARNING,
                    Subject.PERSISTENCE,
                    "appendonly is no.",
                    "A restart loses all holds, or those since the last snapshot. " + STOPS_GRANTING,
                    "Set appendonly yes, and appendfsync everysec or always. Or start the server again only when the"
                            + " longest lease has passed.");
        }
        failedWrite(info, "aof_last_write_status", "The last write to the append-only file has failed.");
        failedWrite(info, "rdb_last_bgsave_status", "The last snapshot has failed.");
    }

    private void failedWrite(Map<String, String> info, String field, String found) {
        if (info.getOrDefault(field, "ok").equals("err")) {
            add(
                    Severity.ERROR,
                    Subject.PERSISTENCE,
                    found,
                    "The server refuses acquires, renewals and releases with MISCONF, unless it is configured to go"
                            + " on. Then a restart loses holds.",
                    "Look at the server's log and its disk.");
        }
    }

    /** Looks at {@code appendfsync}, as {@code CONFIG GET} says it, of a server with an append-only file. */
    void fsync(String policy) {
        if (policy.equals("everysec") || policy.equals("no")) {
            String lost = policy.equals("no") ? "what the machine had not written to its disk" : "the last second";
            add(
                    Severity.NOTE,
                    Subject.PERSISTENCE,
                    "appendfsync is " + policy + ".",
                    "A crash of the machine may lose the grants, renewals and releases of " + lost + ".",
                    "Set appendfsync always if fencing tokens do not protect the resource. Each request then waits for"
                            + " the disk.");
        }
    }

    private void replication(Map<String, String> info) {
        long replicas = number(info, "connected_slaves");
        if (replicas == 0) {
            add(
                    failsOver ? Severity.WARNING : Severity.NOTE,
                    Subject.REPLICATION,
                    "No replica is connected.",
                    "While the server is down, no lock can be acquired. If its disk is lost, so are all holds.",
                    failsOver
                            ? "Connect a replica, so that a failover is possible."
                            : "If that is too long, use a replica with sentinels, or a cluster.");
        }
        for (int i = 0; i < replicas; i++) {
            replica(info.getOrDefault("slave" + i, ""));
        }
        String good = info.get("min_slaves_good_slaves");
        if (replicas == 0 && good != null) {
            add(
                    Severity.ERROR,
                    Subject.REPLICATION,
                    "min-replicas-to-write is set, and no replica is connected.",
                    "The server refuses acquires, renewals and releases with NOREPLICAS.",
                    "Connect the replicas.");
        }
    }

    private void replica(String described) {
        Map<String, String> fields = new HashMap<>();
        for (String field : described.split(",", -1)) {
            int equals = field.indexOf('=');
            if (equals > 0) {
                fields.put(field.substring(0, equals), field.substring(equals + 1));
            }
        }
        String replica = fields.getOrDefault("ip", "?") + ":" + fields.getOrDefault("port", "?");
        String state = fields.getOrDefault("state", "online");
        long lag = number(fields, "lag");
        if (!state.equals("online") || lag > LONGEST_LAG_SECONDS) {
            add(
                    Severity.WARNING,
                    Subject.REPLICATION,
                    "The replica " + replica + " is " + state + ", and has last confirmed " + lag + " s ago.",
                    "A failover to this replica loses the grants and releases that it lacks. " + STOPS_GRANTING,
                    "Look at the replica and its network.");
        }
    }

    /**
     * Looks at the server's clock. The times of this machine before and after the request bound the offset.
     *
     * @param clock the server's, in milliseconds since 1970
     */
    void clock(long before, long clock, long after) {
        long ahead = clock > after ? clock - after : Math.min(0, clock - before);
        if (Math.abs(ahead) > LARGEST_OFFSET_MILLIS) {
            add(
                    Severity.WARNING,
                    Subject.CLOCK,
                    "The server's clock is at least " + Math.abs(ahead) + " ms " + (ahead > 0 ? "ahead of" : "behind")
                            + " the clock of this machine.",
                    "One of the two is not synchronized. If the server's clock jumps ahead, keys of held locks end"
                            + " early. If it jumps back, locks of crashed holders stay for longer, and tokens may fall"
                            + " if the server also loses its data.",
                    "Synchronize both clocks with NTP, and let them slew instead of jump.");
        }
    }

    /** Looks at what {@code CLUSTER INFO} says. */
    void cluster(Map<String, String> info) {
        String state = info.getOrDefault("cluster_state", "ok");
        String served = info.getOrDefault("cluster_slots_ok", Integer.toString(SLOTS));
        if (!state.equals("ok") || !served.equals(Integer.toString(SLOTS))) {
            add(
                    Severity.ERROR,
                    Subject.CLUSTER,
                    "cluster_state is " + state + ", and " + served + " of " + SLOTS + " slots are served.",
                    "Acquires of locks in other slots fail, or wait as during an outage. If the state is fail, those of"
                            + " all locks do.",
                    "Look at CLUSTER NODES for nodes that fail and slots that no node has.");
        }
    }

    /** Says that the server has refused a command by which the check learns something. */
    void notChecked(Subject subject, String command, String words, String unknown) {
        add(
                Severity.NOTE,
                subject,
                "The server refuses " + command + ": " + words,
                "The check does not know " + unknown + ".",
                "Let the check run as a user with the right to send " + command + ", or look at the settings"
                        + " yourself.");
    }

    private static long number(Map<String, String> fields, String name) {
        String text = fields.getOrDefault(name, "0");
        return text.matches("\\d{1,18}") ? Long.parseLong(text) : 0;
    }
}
