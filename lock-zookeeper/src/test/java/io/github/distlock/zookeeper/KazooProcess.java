package io.github.distlock.zookeeper;

import static java.util.Objects.requireNonNull;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.UncheckedIOException;
import java.io.Writer;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** A Python process with a lock of kazoo. It ends when its input ends, so it does not outlive this JVM. */
final class KazooProcess implements AutoCloseable {
    /** The interpreter for which Debian's package installs kazoo. Another one may come first on the path. */
    private static final String PYTHON = "/usr/bin/python3";

    private static final Duration PATIENCE = Duration.ofSeconds(60);

    private final Process process;
    private final Writer commands;
    private final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    private KazooProcess(Process process) {
        this.process = process;
        this.commands = new OutputStreamWriter(process.getOutputStream(), StandardCharsets.UTF_8);
        Thread reader = new Thread(this::read, "kazoo's output");
        reader.setDaemon(true);
        reader.start();
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
        try (InputStream program = KazooProcess.class.getResourceAsStream("/kazoo_lock.py")) {
            String code = new String(requireNonNull(program).readAllBytes(), StandardCharsets.UTF_8);
            KazooProcess started = new KazooProcess(
                    new ProcessBuilder(PYTHON, "-c", code, SharedZooKeeper.address(), path, kind, inside(path))
                            .redirectErrorStream(true)
                            .redirectInput(Redirect.PIPE)
                            .start());
            started.expect("started");
            return started;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + PYTHON + "; install Debian's package python3-kazoo", e);
        }
    }

    /** Returns the node that exists while a client holds the lock. */
    static String inside(String path) {
        return path + "-inside";
    }

    private void read() {
        try (BufferedReader output =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            output.lines().forEach(lines::add);
        } catch (IOException | UncheckedIOException e) {
            lines.add(e.toString());
        }
        lines.add("the process has ended; install Debian's package python3-kazoo if it misses that");
    }

    void acquire() {
        send("acquire");
        expect("acquired");
    }

    void release() {
        send("release");
        expect("released");
    }

    /** Acquires and releases the lock many times. Returns how often another client was inside at the same time. */
    int work(int times) {
        send("work " + times);
        return Integer.parseInt(expect("overlaps ").substring("overlaps ".length()));
    }

    private void send(String command) {
        try {
            commands.write(command + "\n");
            commands.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @CanIgnoreReturnValue
    private String expect(String beginning) {
        StringBuilder seen = new StringBuilder();
        long end = System.nanoTime() + PATIENCE.toNanos();
        while (System.nanoTime() - end < 0) {
            try {
                String line = lines.poll(100, TimeUnit.MILLISECONDS);
                if (line != null && line.startsWith(beginning)) {
                    return line;
                }
                seen.append(line == null ? "" : line + "\n");
                if (line == null && !process.isAlive()) {
                    break;
                }
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
        throw new AssertionError("expected \"" + beginning + "\" of kazoo, but it wrote:\n" + seen);
    }

    @Override
    public void close() {
        process.destroyForcibly();
    }
}
