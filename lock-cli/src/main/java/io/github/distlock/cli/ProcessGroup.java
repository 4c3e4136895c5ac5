package io.github.distlock.cli;

import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * A command and all processes that it has started, unless they have left its process group. No command runs without a
 * guard, which ends the group if this process dies.
 *
 * <p><b>The group.</b> Java cannot make one. {@code setsid} does it, and becomes a shell, which becomes the command. So
 * the number of the process is also that of its group and of its session. A terminal sends its signals to other
 * sessions than this one, so an interrupt from the keyboard arrives here alone, and reaches the command once.
 *
 * <p><b>The guard</b> is a shell in a session of its own, with {@code guard.sh}. It reads requests from a pipe of which
 * this process has the only other end. If this process dies, the operating system closes the pipe. The guard then sends
 * TERM to the group, waits, and sends KILL. It also sends the signals that this process asks for, because Java can only
 * signal single processes.
 *
 * <p><b>No window.</b> The guard starts before the command. Before the shell becomes the command, it writes its number
 * into the guard's pipe, which Linux offers under {@code /proc}. So the guard knows each group whose command runs, even
 * if this process is killed at that moment. Elsewhere, the guard learns the number from {@link #start} a moment later.
 *
 * <p>If the guard dies, the next request starts another one. Not thread-safe.
 */
final class ProcessGroup {
    private static final String START = """
            printf 'group %s\\n' "$$" 2>/dev/null >"/proc/$1/fd/0"
            shift
            exec "$@"
            """;
    /** Perl is part of macOS, which has no setsid. */
    private static final List<String> PERL =
            List.of("perl", "-MPOSIX", "-e", "POSIX::setsid(); exec { $ARGV[0] } @ARGV or exit 127");

    private final List<String> newSession;
    private final Duration patience;
    private @Nullable Process guard;
    private @Nullable BufferedReader answers;
    private @Nullable Process command;

    /**
     * Makes a group without a command, and sends nothing.
     *
     * @param patience how long after this process's death the guard waits from TERM to KILL
     */
    ProcessGroup(Duration patience) {
        this.newSession = isOnPath("setsid") ? List.of("setsid") : PERL;
        this.patience = patience;
    }

    private static boolean isOnPath(String program) {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        return Stream.of(path.split(File.pathSeparator)).anyMatch(each -> Files.isExecutable(Path.of(each, program)));
    }

    /**
     * Starts the command, which has the standard streams of this process.
     *
     * @param environment variables to set, and with null to remove
     * @return the command; its exit code is as a shell reports it, so it includes signals, and 126 and 127
     */
    Process start(List<String> words, Map<String, @Nullable String> environment) throws IOException {
        startGuard();
        List<String> all = new ArrayList<>(newSession);
        all.addAll(List.of("/bin/sh", "-c", START, "distlock", String.valueOf(guardId())));
        all.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(all).inheritIO();
        environment.forEach((name, value) -> {
            if (value == null) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        Process started = builder.start();
        command = started;
        ask("started " + started.pid());
        return started;
    }

    private long guardId() {
        return guard == null ? 0 : guard.pid();
    }

    private void startGuard() throws IOException {
        List<String> all = new ArrayList<>(newSession);
        all.addAll(List.of("/bin/sh", "-c", script(), "distlock-guard", String.valueOf(tenths(patience))));
        Process started =
                new ProcessBuilder(all).redirectError(Redirect.DISCARD).start();
        guard = started;
        answers = started.inputReader(StandardCharsets.US_ASCII);
    }

    private static String script() throws IOException {
        try (InputStream script = ProcessGroup.class.getResourceAsStream("guard.sh")) {
            if (script == null) {
                throw new IOException("guard.sh is missing");
            }
            return new String(script.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    /** The guard's steps take a little longer than it counts. */
    private static long tenths(Duration time) {
        return Math.max(0, time.toMillis() * 9 / 1000);
    }

    /** Sends a signal to all processes of the group. */
    void signal(String name) {
        tell("signal " + name);
    }

    /** Returns whether the group has a process. */
    boolean isLiving() {
        return "yes".equals(ask("living"));
    }

    /** Says that the lock is about to end: if this process dies, the guard does not wait any more. */
    void endAtOnce() {
        tell("patience 0");
    }

    /** Ends the guard. The group is not guarded any more. */
    void close() {
        tell("end");
    }

    private @Nullable String ask(String request) {
        tell(request);
        try {
            return answers == null ? null : answers.readLine();
        } catch (IOException e) {
            return null;
        }
    }

    private void tell(String request) {
        try {
            if (!write(request)) {
                startGuard();
                if (command != null) {
                    ask("started " + command.pid());
                }
                write(request);
            }
        } catch (IOException e) {
            Distlock.print("cannot start a guard: " + e.getMessage());
        }
    }

    private boolean write(String request) {
        if (guard == null || !guard.isAlive()) {
            return false;
        }
        try {
            guard.getOutputStream().write((request + "\n").getBytes(StandardCharsets.US_ASCII));
            guard.getOutputStream().flush();
            return true;
        } catch (IOException e) {
            return false;
        }
    }
}
