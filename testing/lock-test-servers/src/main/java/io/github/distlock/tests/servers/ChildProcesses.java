package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
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
 * Starts, signals and ends child processes. No child process outlives this JVM.
 *
 * <p>If the JVM exits, a shutdown hook kills the child processes. If the JVM is killed, no hook runs; then a shell
 * kills them. The shell reads a pipe of which this JVM has the only other end. The JVM writes there which processes
 * run. When the JVM ends, the operating system closes the pipe, and the shell kills the processes and deletes the
 * temporary files. We do not use the death signal of Linux, because Linux sends it when the <em>thread</em> that
 * started the process ends.
 *
 * <p>A process can outlive this JVM if the shell is killed too, or if this JVM is killed after it has started the
 * process and before it has written to the pipe.
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

    /** Kills the process (SIGKILL) and waits for its end for up to 10 s. */
    static void kill(Process process) {
        process.destroyForcibly();
        awaitEnd(process, END);
        forget(process);
    }

    /**
     * Returns whether the process ends within the limit. If this thread is interrupted, returns whether it has ended.
     */
    static boolean awaitEnd(Process process, Duration limit) {
        try {
            return process.waitFor(limit.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return !process.isAlive();
        }
    }

    /** Sends SIGSTOP. On Linux, waits up to 10 s until the process has stopped. */
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
                // The shell has ended, so it cannot kill a later process with the same number.
            }
        }
    }

    private static void killAll() {
        LIVING.forEach(ChildProcesses::kill);
    }
}
