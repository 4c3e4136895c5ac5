package io.github.distlock.redis;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

/** A process in which another program has a lock on a key. It ends when its input ends. */
final class ForeignLock implements AutoCloseable {
    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ChildProgram process;

    /** A program that has locks on Redis. */
    enum Program {
        /** For the interpreter of Debian's package python3-redis. Another one may come first on the path. */
        REDIS_PY("redis_py_lock.py", "/usr/bin/python3"),
        /** With npm's global packages redlock, version 4, and ioredis. */
        REDLOCK("redlock.js", "sh", "-c", "NODE_PATH=$(npm root --global) exec node \"$@\"", "sh"),
        /** With Debian's package redis-tools. */
        REDIS_CLI("redis_cli_lock.sh", "bash");

        private final String script;

        @SuppressWarnings("ImmutableEnumChecker") // Lists of List.of are immutable.
        private final List<String> interpreter;

        Program(String script, String... interpreter) {
            this.script = script;
            this.interpreter = List.of(interpreter);
        }
    }

    private ForeignLock(ChildProgram process) {
        this.process = process;
    }

    static ForeignLock start(Program program, RedisServer server, String key, Duration lease) {
        Stream<String> arguments = Stream.of(
                Path.of("src", "test", "resources", program.script).toString(),
                server.host(),
                String.valueOf(server.port()),
                key,
                String.valueOf(lease.toMillis()),
                inside(key));
        ForeignLock lock = new ForeignLock(ChildProgram.startCommand(
                Stream.concat(program.interpreter.stream(), arguments).toArray(String[]::new)));
        var unused = lock.process.awaitLine("started", PATIENCE);
        return lock;
    }

    /** Returns the key that exists while a client holds the lock. */
    static String inside(String key) {
        return key + "-inside";
    }

    boolean tryAcquire() {
        return ask("try").equals("acquired");
    }

    /** Returns whether the lock was still held. */
    boolean release() {
        return ask("release").equals("released");
    }

    /** Acquires and releases the lock many times. Returns how often another client was inside at the same time. */
    int work(int times) {
        String overlaps = ask("work " + times);
        return Integer.parseInt(overlaps.substring("overlaps ".length()));
    }

    /** Acquires and releases the lock, and increments a key each time, until another key exists. */
    void contend(String grants, String stop) {
        var unused = ask("contend " + grants + " " + stop);
    }

    private String ask(String command) {
        process.send(command);
        return process.nextLine(PATIENCE);
    }

    @Override
    public void close() {
        process.close();
    }
}
