package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Child processes, none of which outlives this JVM.
 *
 * <p>When the JVM ends by itself, a shutdown hook kills them. When it is killed, no hook runs. So one shell watches: it
 * reads from a pipe whose other end only this JVM holds, is told there which processes live, and kills these when the pipe
 * ends, which the operating system sees to however the JVM ends. It also removes the temporary files. The death signal of
 * Linux is no choice, for it comes when the <em>thread</em> that started the process ends.
 *
 * <p>Not covered: the shell killed as well, and the instant between the start of a process and its line in the pipe.
 */
final class ChildProcesses {
    private static final String WATCH = """
            trap '' HUP INT TERM
            pids=
            while read -r change pid; do
              others=
              for each in $pids; do
                [ "$each" = "$pid" ] || others="$others $each"
              done
              pids=$others
              [ "$change" = remove ] || pids="$pids $pid"
            done
            for each in $pids; do
              kill -KILL "$each" 2>/dev/null
            done
            rm -rf "$1" || { sleep 1; rm -rf "$1"; }
            """;

    private static final Duration END = Duration.ofSeconds(10);
    private static final Set<Process> LIVING = ConcurrentHashMap.newKeySet();
    private static final ReentrantLock LOCK = new ReentrantLock();
    private static @Nullable OutputStream watcher;

    private ChildProcesses() {}

    static Process start(ProcessBuilder command) {
        try {
            openWatcher();
            Process process = command.start();
            LIVING.add(process);
            tellWatcher("add", process.pid());
            var unused = process.onExit().thenRun(() -> forget(process));
            return process;
        } catch (IOException e) {
            throw new UncheckedIOException("cannot start " + command.command().get(0), e);
        }
    }

    /** Ends the process at once, and waits until it has ended. */
    static void kill(Process process) {
        process.destroyForcibly();
        awaitEnd(process, END);
        forget(process);
    }

    /** Whether the process ends within the limit. */
    static boolean awaitEnd(Process process, Duration limit) {
        try {
            return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return !process.isAlive();
        }
    }

    /** Stops the process where it is. */
    static void suspend(Process process) {
        signal("STOP", process);
        Path state = Path.of("/proc", String.valueOf(process.pid()), "stat");
        if (Files.exists(state)) {
            Waiting.until(END, () -> !process.isAlive() || isStopped(state));
        }
    }

    static void resume(Process process) {
        signal("CONT", process);
    }

    private static boolean isStopped(Path state) {
        try {
            String fields = Files.readString(state, StandardCharsets.ISO_8859_1);
            return fields.startsWith(" T", fields.lastIndexOf(')') + 1);
        } catch (IOException e) {
            return false;
        }
    }

    private static void signal(String name, Process process) {
        ProcessBuilder command = new ProcessBuilder("sh", "-c", "kill -" + name + " " + process.pid());
        try {
            Process kill = command.redirectErrorStream(true)
                    .redirectOutput(Redirect.DISCARD)
                    .start();
            if (!awaitEnd(kill, END) || kill.exitValue() != 0) {
                throw new IllegalStateException("SIG" + name + " did not reach process " + process.pid()
                        + (process.isAlive() ? "" : ", which has ended"));
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot send a signal", e);
        }
    }

    private static void openWatcher() throws IOException {
        LOCK.lock();
        try {
            if (watcher == null) {
                watcher = new ProcessBuilder(
                                "sh", "-c", WATCH, "sh", TemporaryFiles.root().toString())
                        .redirectOutput(Redirect.DISCARD)
                        .redirectError(Redirect.DISCARD)
                        .start()
                        .getOutputStream();
                Runtime.getRuntime().addShutdownHook(new Thread(ChildProcesses::killAll, "distlock-tests-end"));
            }
        } finally {
            LOCK.unlock();
        }
    }

    private static void tellWatcher(String change, long pid) throws IOException {
        LOCK.lock();
        try {
            if (watcher != null) {
                watcher.write((change + " " + pid + "\n").getBytes(StandardCharsets.US_ASCII));
                watcher.flush();
            }
        } finally {
            LOCK.unlock();
        }
    }

    private static void forget(Process process) {
        if (LIVING.remove(process)) {
            try {
                tellWatcher("remove", process.pid());
            } catch (IOException e) {
                // The watcher is gone, and with it whatever it could do to that process.
            }
        }
    }

    private static void killAll() {
        LIVING.forEach(ChildProcesses::kill);
    }
}
