package io.github.distlock.cli;

import java.io.File;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
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
 * if this process is killed at that moment. Elsewhere, the guard learns it from {@link #awaitStart} a moment later.
 *
 * <p><b>No trust in the guard.</b> It may be killed or suspended. {@link #watchGuard} asks whether it is still there,
 * and replaces it if it does not answer. So does each other request, which it then repeats. On a very busy machine, the
 * first guard may have been slow only, so the command may get the same signal twice.
 *
 * <p>Not thread-safe.
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

    private static final long LONGEST_END = 1_000_000_000;
    private static final long LOOK_AGAIN = 20_000_000;

    /** What has become of a signal. */
    enum Sent {
        /** It was sent, or the group has no process. */
        SENT,
        /** None of the processes takes it from this user. */
        REFUSED,
        /** No guard has answered. */
        UNKNOWN
    }

    private final List<String> newSession;
    private final Process command;
    private final Messages messages;
    private Duration patience;
    private Guard guard;

    private ProcessGroup(List<String> newSession, Process command, Messages messages, Duration patience, Guard guard) {
        this.newSession = newSession;
        this.command = command;
        this.messages = messages;
        this.patience = patience;
        this.guard = guard;
    }

    /**
     * Starts a command, which has the standard streams of this process. Signals reach it after {@link #awaitStart}.
     *
     * @param words the command and its arguments
     * @param environment variables to set, and with null to remove
     * @param patience how long after this process's death the guard waits from TERM to KILL
     * @throws IOException if a program is missing that this needs
     */
    static ProcessGroup start(
            List<String> words, Map<String, @Nullable String> environment, Duration patience, Messages messages)
            throws IOException {
        List<String> newSession = isOnPath("setsid") ? List.of("setsid") : PERL;
        Guard guard = Guard.start(newSession, patience, "");
        List<String> all = new ArrayList<>(newSession);
        all.addAll(List.of("/bin/sh", "-c", START, "distlock", String.valueOf(guard.pid())));
        all.addAll(words);
        ProcessBuilder builder = new ProcessBuilder(all).inheritIO();
        environment.forEach((name, value) -> {
            if (value == null) {
                builder.environment().remove(name);
            } else {
                builder.environment().put(name, value);
            }
        });
        return new ProcessGroup(newSession, builder.start(), messages, patience, guard);
    }

    /** Waits until the command has a group of its own. */
    void awaitStart() throws InterruptedException {
        var unused = ask("started " + command.pid());
    }

    private static boolean isOnPath(String program) {
        String path = System.getenv().getOrDefault("PATH", "/usr/bin:/bin");
        return Stream.of(path.split(File.pathSeparator)).anyMatch(each -> new File(each, program).canExecute());
    }

    /** Returns the command. Its exit code is as a shell reports it, so it includes signals, and 126 and 127. */
    Process command() {
        return command;
    }

    /** Sends a signal to all processes of the group. */
    Sent signal(String name) throws InterruptedException {
        String answer = ask("signal " + name);
        if (answer == null) {
            return Sent.UNKNOWN;
        }
        return answer.equals("refused") ? Sent.REFUSED : Sent.SENT;
    }

    /** Kills all processes of the group. Returns whether they have ended within a second or so. */
    boolean kill() throws InterruptedException {
        awaitStart(); // or the guard may not know the group yet, and would say that it has no process
        var unused = signal("KILL");
        long begin = System.nanoTime();
        while (isLiving()) {
            if (System.nanoTime() - begin > LONGEST_END) {
                return false;
            }
            TimeUnit.NANOSECONDS.sleep(LOOK_AGAIN);
        }
        return true;
    }

    /** Returns whether the group has a process. In doubt, it has one. */
    boolean isLiving() throws InterruptedException {
        return !"no".equals(ask("living"));
    }

    /** Says that the lock is about to end: if this process dies, the guard does not wait any more. */
    void endAtOnce() throws InterruptedException {
        patience = Duration.ZERO;
        var unused = ask("patience 0");
    }

    /** Replaces the guard if it has ended or does not answer. Does not wait for an answer that is not late. */
    void watchGuard() throws InterruptedException {
        if (!guard.isWell()) {
            replaceGuard();
        }
    }

    /** Ends the guard. The group is not guarded any more. */
    void close() {
        guard.send("end");
    }

    private @Nullable String ask(String request) throws InterruptedException {
        String answer = guard.ask(request);
        if (answer != null) {
            return answer;
        }
        replaceGuard();
        return guard.ask(request);
    }

    private void replaceGuard() {
        guard.kill();
        try {
            guard = Guard.start(newSession, patience, String.valueOf(command.pid()));
            messages.say("the guard of the command has ended or does not answer: another one has taken its place");
        } catch (IOException e) {
            messages.sayIfNew("cannot start a guard: " + e.getMessage());
        }
    }
}
