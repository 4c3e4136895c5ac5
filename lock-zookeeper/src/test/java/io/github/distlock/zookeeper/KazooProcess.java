package io.github.distlock.zookeeper;

import io.github.distlock.tests.servers.ChildProgram;
import java.nio.file.Path;
import java.time.Duration;

/** A Python process with a lock of kazoo. It ends when its input ends. */
final class KazooProcess implements AutoCloseable {
    /** The interpreter for which Debian's package python3-kazoo installs it. Another one may come first on the path. */
    private static final String PYTHON = "/usr/bin/python3";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final ChildProgram process;

    private KazooProcess(ChildProgram process) {
        this.process = process;
    }

    /** Starts kazoo's own lock, which also respects the nodes of Curator and of this library. */
    static KazooProcess withExtraPattern(String path) {
        return start(path, "own");
    }

    /** Starts the subclass of kazoo's lock that has the layout of Curator. */
    static KazooProcess withCommonLayout(String path) {
        return start(path, "common");
    }

    private static KazooProcess start(String path, String kind) {
        String program = Path.of("src", "test", "resources", "kazoo_lock.py").toString();
        KazooProcess started = new KazooProcess(
                ChildProgram.startCommand(PYTHON, program, SharedZooKeeper.address(), path, kind, inside(path)));
        var unused = started.process.awaitLine("started", PATIENCE);
        return started;
    }

    /** Returns the node that exists while a client holds the lock. */
    static String inside(String path) {
        return path + "-inside";
    }

    void acquire() {
        process.send("acquire");
        var unused = process.awaitLine("acquired", PATIENCE);
    }

    void release() {
        process.send("release");
        var unused = process.awaitLine("released", PATIENCE);
    }

    /** Acquires and releases the lock many times. Returns how often another client was inside at the same time. */
    int work(int times) {
        process.send("work " + times);
        return Integer.parseInt(process.awaitLine("overlaps ", PATIENCE).substring("overlaps ".length()));
    }

    @Override
    public void close() {
        process.close();
    }
}
