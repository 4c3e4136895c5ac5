package io.github.distlock.redis;

import io.github.distlock.redis.HealthFinding.Severity;
import io.github.distlock.redis.HealthFinding.Subject;
import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.redis.connection.Listening;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.RequestRefusedException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * One check of all servers that keep locks. {@link HealthRules} says what their reports mean.
 *
 * <p><b>Rights are tried.</b> A script sends each command of the other scripts, with keys as the backend makes them.
 * {@code ACL DRYRUN} would need an administrator's right, and says nothing about proxies. The keys belong to a random
 * name, and the script leaves nothing there.
 *
 * <p><b>Threads.</b> Each server has its own task, so that a silent server delays no other one. The caller waits for
 * the tasks until the deadline, and a bit longer for their last words. It shares nothing with a task but its result.
 */
final class HealthCheck {
    private static final int MOST_THREADS = 16;
    /** A request ends by its own deadline within this time. */
    private static final Duration FOR_LAST_WORDS = Duration.ofMillis(100);
    /** In a cluster of n nodes, about n names are tried until one belongs to a certain node. */
    private static final int MOST_NAMES = 10_000;

    /** Redis before 7 begins the error of a command in a script with the line of the script. */
    private static final Pattern IN_SCRIPT = Pattern.compile("^@user_script: ?\\d+: -?");

    private final RedisBackend backend;
    private final Redis redis;
    private final String prefix;
    private final Deadline deadline;
    private final Deadline afterLastWords;
    private final ThreadPoolExecutor threads;

    /**
     * Begins a check, and sends nothing yet.
     *
     * @param prefix the beginning of keys and channels
     */
    HealthCheck(RedisBackend backend, Redis redis, String prefix, RedisContext context, Duration timeout) {
        this.backend = backend;
        this.redis = redis;
        this.prefix = prefix;
        this.deadline = Deadline.after(timeout, context.clock);
        this.afterLastWords = Deadline.after(timeout.plus(FOR_LAST_WORDS), context.clock);
        this.threads = new ThreadPoolExecutor(
                MOST_THREADS, MOST_THREADS, 1, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), context.redisThreads());
    }

    /** Returns the findings, the worst first. */
    List<HealthFinding> findings() throws InterruptedException {
        try {
            List<HealthFinding> found = new ArrayList<>(allServers());
            found.sort(Comparator.comparing(HealthFinding::severity));
            return List.copyOf(found);
        } finally {
            threads.shutdownNow();
        }
    }

    private List<HealthFinding> allServers() throws InterruptedException {
        Callable<List<Connections.Server>> question = () -> redis.servers(deadline);
        List<Connections.Server> servers;
        try {
            servers = result(start(List.of(question)).get(0));
        } catch (RuntimeException e) {
            return unreachable(redis.toString(), e);
        }
        List<Callable<List<HealthFinding>>> checks = new ArrayList<>();
        servers.forEach(server -> checks.add(() -> check(server)));
        Subscribing subscribing = new Subscribing();
        checks.add(subscribing);
        List<HealthFinding> found = new ArrayList<>();
        List<Future<List<HealthFinding>>> results = start(checks);
        subscribing.listening.end();
        for (int i = 0; i < servers.size(); i++) {
            try {
                found.addAll(result(results.get(i)));
            } catch (RuntimeException e) {
                found.addAll(unreachable(servers.get(i).address(), e));
            }
        }
        if (found.stream().noneMatch(finding -> finding.subject() == Subject.CONNECTION)) {
            found.addAll(subscription(results.get(servers.size())));
        }
        return found;
    }

    private List<HealthFinding> subscription(Future<List<HealthFinding>> task) throws InterruptedException {
        try {
            return result(task);
        } catch (RuntimeException e) {
            return notSubscribed(e);
        }
    }

    private List<HealthFinding> notSubscribed(RuntimeException error) {
        HealthRules rules = new HealthRules(redis.toString(), false);
        withoutMessages(rules, "subscribe", words(error), "<user>");
        return rules.findings();
    }

    private static List<HealthFinding> unreachable(String server, RuntimeException error) {
        HealthRules rules = new HealthRules(server, false);
        unreachable(rules, error);
        return rules.findings();
    }

    private <T> List<Future<T>> start(List<Callable<T>> tasks) throws InterruptedException {
        return threads.invokeAll(tasks, afterLastWords.remainingNanos(), TimeUnit.NANOSECONDS);
    }

    private static <T> T result(Future<T> task) throws InterruptedException {
        try {
            return task.get();
        } catch (CancellationException e) {
            throw new IllegalStateException("no answer in time", e);
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause
                    ? cause
                    : new IllegalStateException(String.valueOf(e.getCause()), e);
        }
    }

    private static void unreachable(HealthRules rules, RuntimeException error) {
        rules.add(
                Severity.ERROR,
                Subject.CONNECTION,
                "The server cannot be asked: " + words(error),
                "Acquires fail or wait as during an outage, and holds end by their clients' clocks.",
                "Check that the server runs, and check address, credentials, TLS and network.");
    }

    private List<HealthFinding> check(Connections.Server server) throws InterruptedException {
        HealthRules rules = new HealthRules(server.address(), server.failsOver());
        try {
            new ServerCheck(server, rules).run();
        } catch (RuntimeException e) {
            unreachable(rules, e);
        }
        return rules.findings();
    }

    /** The check of one server, on one thread. A failure to ask the server ends it. */
    private final class ServerCheck {
        private final Connections.Server server;
        private final HealthRules rules;

        private ServerCheck(Connections.Server server, HealthRules rules) {
            this.server = server;
            this.rules = rules;
        }

        private void run() throws InterruptedException {
            Map<String, String> info = report();
            rules.server(info);
            if (info.getOrDefault("aof_enabled", "0").equals("1")) {
                fsync();
            }
            clock();
            if (server.failsOver() && info.getOrDefault("cluster_enabled", "0").equals("1")) {
                cluster();
            }
            commands();
        }

        private Object ask(String... words) throws InterruptedException {
            return server.ask(List.of(List.of(words)), deadline).get(0);
        }

        private Map<String, String> report() throws InterruptedException {
            Object reply = ask("INFO");
            if (reply instanceof ErrorReply error) {
                rules.notChecked(
                        Subject.RIGHTS,
                        "INFO",
                        words(error),
                        "the version, role, memory, persistence and replicas of the server");
                return Map.of();
            }
            return HealthRules.fields(Replies.text(reply));
        }

        private void fsync() throws InterruptedException {
            Object reply = ask("CONFIG", "GET", "appendfsync");
            if (reply instanceof ErrorReply error) {
                rules.notChecked(Subject.PERSISTENCE, "CONFIG GET", words(error), "appendfsync");
            } else {
                rules.fsync(Replies.setting(reply));
            }
        }

        private void clock() throws InterruptedException {
            long before = backend.clock().wallMillis();
            Object reply = ask("TIME");
            long after = backend.clock().wallMillis();
            if (reply instanceof ErrorReply error) {
                rules.notChecked(Subject.CLOCK, "TIME", words(error), "the server's clock");
            } else {
                List<?> time = Replies.list(reply);
                rules.clock(before, Replies.number(time.get(0)) * 1_000 + Replies.number(time.get(1)) / 1_000, after);
            }
        }

        private void cluster() throws InterruptedException {
            if (ask("CLUSTER", "INFO") instanceof byte[] info) {
                rules.cluster(HealthRules.fields(Replies.text(info)));
            }
            Object asking = server.ask(List.of(List.of("ASKING"), List.of("TIME")), deadline)
                    .get(0);
            if (asking instanceof ErrorReply error) {
                missing(List.of("asking"), words(error));
            }
        }

        private void commands() throws InterruptedException {
            List<?> refused;
            try {
                LockKeys keys = unusedKeys();
                if (keys == null) {
                    return;
                }
                refused = backend.call(new ScriptCall(Script.TRY_COMMANDS, keys, channel()), deadline);
            } catch (RequestRefusedException | ErrorReply e) {
                noScript(words(e));
                return;
            }
            Map<String, List<String>> commands = new LinkedHashMap<>();
            for (int i = 0; i < refused.size(); i += 2) {
                String words =
                        IN_SCRIPT.matcher(Replies.text(refused.get(i + 1))).replaceFirst("");
                commands.computeIfAbsent(sentence(words), any -> new ArrayList<>())
                        .add(Replies.text(refused.get(i)));
            }
            for (Map.Entry<String, List<String>> some : commands.entrySet()) {
                refused(some.getValue(), some.getKey());
            }
            if (ask("PUBLISH", channel(), "health") instanceof ErrorReply error) {
                withoutMessages(rules, "publish", words(error), user());
            }
        }

        /** Returns the keys of a name that nobody uses, or null if this server keeps no locks of the backend. */
        private @Nullable LockKeys unusedKeys() {
            for (int i = 0; i < MOST_NAMES; i++) {
                LockKeys keys = backend.keysOf("health-check-" + RandomId.next());
                if (server.keeps(keys.lock())) {
                    return keys;
                }
            }
            return null;
        }

        private String channel() {
            return prefix + RandomId.next();
        }

        private void noScript(String words) throws InterruptedException {
            String lower = words.toLowerCase(Locale.ROOT);
            if (isMissingRight(words)) {
                missing(List.of("eval", "evalsha"), words);
            } else if (lower.contains("lua script") || lower.contains("publish")) {
                rules.add(
                        Severity.ERROR,
                        Subject.SCRIPTS,
                        "The server or a proxy does not run a script: " + words,
                        "No lock can be acquired, or no lock can be handed to another client.",
                        "If the words are about PUBLISH, build the backend with publishFromClient(). Otherwise connect"
                                + " without the proxy.");
            } else {
                refused(List.of("eval"), words);
            }
        }

        private void refused(List<String> commands, String words) throws InterruptedException {
            if (isMissingRight(words)) {
                missing(commands, words);
            } else {
                rules.add(
                        Severity.ERROR,
                        Subject.SCRIPTS,
                        "The server refuses " + String.join(", ", commands) + ": " + words,
                        "Acquires, renewals or releases fail.",
                        "The server's words say what it lacks.");
            }
        }

        private void missing(List<String> commands, String words) throws InterruptedException {
            String all = commands.stream().map(command -> "+" + command).collect(Collectors.joining(" "));
            boolean ofKeys = words.toLowerCase(Locale.ROOT).contains(" key");
            rules.add(
                    Severity.ERROR,
                    Subject.RIGHTS,
                    "The user may not send " + String.join(", ", commands) + ": " + words,
                    "Acquires, renewals or releases fail.",
                    "ACL SETUSER " + user() + (ofKeys ? " ~" + prefix + "*" : "") + " " + all);
        }

        private String user() throws InterruptedException {
            return ask("ACL", "WHOAMI") instanceof byte[] name ? Replies.text(name) : "<user>";
        }
    }

    private static boolean isMissingRight(String words) {
        String lower = words.toLowerCase(Locale.ROOT);
        return words.contains("NOPERM")
                || ErrorReply.isMissingRightInScript(words)
                || lower.contains("can't access at least one of the keys")
                || lower.contains("unknown redis command")
                || lower.contains("unknown command");
    }

    private static String words(RuntimeException error) {
        return sentence(Failures.words(error));
    }

    private static String sentence(String words) {
        String stripped = words.strip();
        return stripped.endsWith(".") ? stripped : stripped + ".";
    }

    private void withoutMessages(HealthRules rules, String command, String words, String user) {
        rules.add(
                Severity.WARNING,
                Subject.RIGHTS,
                "The client cannot " + command + ": " + words,
                "Waiting clients are not notified. They poll every 250 ms, or notice a handoff within a second.",
                "ACL SETUSER " + user + " &" + prefix + "* +" + command);
    }

    /** Subscribes to a channel as a waiting client does, at any of the servers, and ends the subscription. */
    private final class Subscribing implements Callable<List<HealthFinding>> {
        private final AtomicBoolean subscribed = new AtomicBoolean();
        private final Listening listening = redis.listening(prefix + RandomId.next(), message -> {}, this::subscribed);

        private void subscribed() {
            subscribed.set(true);
            listening.end();
        }

        @Override
        public List<HealthFinding> call() throws InterruptedException {
            if (redis.canListen()) {
                try {
                    listening.run();
                } catch (RuntimeException e) {
                    if (!subscribed.get()) {
                        return notSubscribed(e);
                    }
                }
            }
            return List.of();
        }
    }
}
