package io.github.distlock.cli;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LockOptions;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/**
 * Runs a command under a lock. One thread acquires the lock, watches the command, and releases the lock. Signals, the
 * answer of the acquire, the loss of the lock and the end of the command are events in its queue.
 */
@Command(
        name = "run",
        description = "Runs a command while it holds a lock.",
        customSynopsis = "distlock run [OPTION]... NAME -- COMMAND [ARGUMENT]...",
        mixinStandardHelpOptions = true,
        footer = {
            "",
            "The exit code is that of the command, or 128 + n if the signal n has ended it. Codes of distlock: 64"
                    + " usage, 69 the store does not answer, 70 internal error, 75 busy, 77 the store refuses, 80 the"
                    + " lock was lost and the command was stopped, 126 and 127 as in a shell."
        })
final class RunVerb implements Callable<Integer> {
    @Mixin
    StoreOptions store = new StoreOptions();

    @Option(
            names = {"-n", "--nonblock"},
            description = "Ask once. If another client holds the lock, end with the exit code of -E.")
    boolean once;

    @Option(
            names = {"-w", "--wait"},
            paramLabel = "TIME",
            converter = DurationOption.class,
            description = "Wait for the lock for this time at most, such as 10s. By default, wait without a limit.")
    @Nullable
    Duration maxWait;

    @Option(
            names = {"-E", "--conflict-exit-code"},
            paramLabel = "CODE",
            defaultValue = "75",
            description = "The exit code if the lock stays busy; ${DEFAULT-VALUE} by default.")
    int busyExitCode;

    @Option(
            names = "--lease",
            paramLabel = "TIME",
            defaultValue = "30s",
            converter = DurationOption.class,
            description = "How long a crashed holder blocks others; ${DEFAULT-VALUE} by default. It is renewed.")
    Duration lease = Duration.ZERO;

    @Option(names = "--fair", description = "First come, first served. All clients of the lock need it.")
    boolean fair;

    @Option(
            names = "--minimum-hold",
            paramLabel = "TIME",
            converter = DurationOption.class,
            description = "Keep the lock busy until this time after the grant, even if the command ends earlier.")
    @Nullable
    Duration minimumHold;

    @Option(names = "--read", description = "Hold the read lock of a read-write lock.")
    boolean read;

    @Option(names = "--write", description = "Hold the write lock of a read-write lock.")
    boolean write;

    @Option(
            names = "--kill-after",
            paramLabel = "TIME",
            defaultValue = "10s",
            converter = DurationOption.class,
            description = "How long a command that has to stop gets from TERM to KILL; ${DEFAULT-VALUE} by default, and"
                    + " at most a third of the lease.")
    Duration killAfter = Duration.ZERO;

    @Parameters(index = "0", paramLabel = "NAME", description = "The name of the lock.")
    String name = "";

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "COMMAND", description = "The command and its arguments.")
    List<String> command = List.of();

    @Spec
    CommandSpec spec;

    private final BlockingQueue<Event> events = new LinkedBlockingQueue<>();

    @Override
    public Integer call() throws InterruptedException {
        checkOptions();
        try (Messages messages = new Messages();
                LockClient client = store.builder(store.backend(lease))
                        .listener(new FailedRenewals(messages))
                        .build()) {
            DistributedLock lock = lock(client);
            Signals.receive(events::add);
            if (maxWait != null) {
                // The time is for the lock, and not for the first connection.
                var unused = client.inspector().inspect(name);
            }
            CompletableFuture<?> answer = acquire(lock);
            var ignored = answer.whenComplete((hold, failure) -> events.add(new Event.Answered()));
            if (events.take() instanceof Event.Signaled signal) {
                answer.cancel(false);
                hold(answer).ifPresent(LockHandle::release);
                return ExitCode.SIGNAL + signal.number();
            }
            Optional<LockHandle> hold = hold(answer);
            if (hold.isEmpty()) {
                Distlock.print("lock \"" + name + "\" is busy");
                return busyExitCode;
            }
            return runHolding(hold.get(), messages);
        }
    }

    private void checkOptions() {
        if (System.getProperty("os.name").toLowerCase(Locale.ROOT).startsWith("windows")) {
            throw new Failure(
                    ExitCode.USAGE, "run does not work on Windows, which has no way to ask a command to stop");
        }
        if (!isAfterDashes()) {
            throw new Failure(ExitCode.USAGE, askForDashes());
        }
        if (command.get(0).startsWith("-")) {
            throw new Failure(ExitCode.USAGE, "COMMAND must not begin with '-': give its path");
        }
        if (once && maxWait != null) {
            throw new Failure(ExitCode.USAGE, "-n and -w exclude each other");
        }
        if (read && write) {
            throw new Failure(ExitCode.USAGE, "--read and --write exclude each other");
        }
        Failure.requireRange("-E", busyExitCode, 0, 255);
    }

    /** Returns whether all of the command follows "--". Otherwise, options of the command may be among those above. */
    private boolean isAfterDashes() {
        List<String> all = spec.root().commandLine().getParseResult().originalArgs();
        int dashes = all.indexOf("--");
        return dashes >= 0 && command.size() < all.size() - dashes;
    }

    /** Returns what to write instead, as far as the name and the command are known. */
    String askForDashes() {
        return "write -- before the command: distlock run " + (name.isEmpty() ? "NAME" : name) + " -- "
                + (command.isEmpty() ? "COMMAND" : command.get(0)) + " ...";
    }

    private DistributedLock lock(LockClient client) {
        LockOptions options = LockOptions.defaults().renewedLease(lease);
        if (fair) {
            options = options.fair();
        }
        if (minimumHold != null) {
            LockOptions others = options;
            Duration time = minimumHold;
            options = Failure.naming("--minimum-hold", () -> others.minimumHold(time));
        }
        if (read) {
            return client.readWriteLock(name, options).readLock();
        }
        return write ? client.readWriteLock(name, options).writeLock() : client.lock(name, options);
    }

    private CompletableFuture<?> acquire(DistributedLock lock) {
        if (once) {
            return lock.tryAcquireAsync(Duration.ZERO);
        }
        return maxWait == null ? lock.acquireAsync() : lock.tryAcquireAsync(maxWait);
    }

    /** Returns what the acquire has ended with; empty if the lock is busy, or if the acquire was canceled. */
    private static Optional<LockHandle> hold(CompletableFuture<?> answer) {
        try {
            Object hold = answer.join();
            return hold instanceof Optional<?> optional
                    ? optional.map(LockHandle.class::cast)
                    : Optional.of((LockHandle) hold);
        } catch (CancellationException e) {
            return Optional.empty();
        } catch (CompletionException e) {
            if (e.getCause() instanceof RuntimeException failure) {
                throw failure;
            }
            throw e;
        }
    }

    private int runHolding(LockHandle hold, Messages messages) throws InterruptedException {
        try {
            if (events.poll() instanceof Event.Signaled signal) {
                return ExitCode.SIGNAL + signal.number();
            }
            if (!hold.isHeld()) {
                Distlock.print("lock \"" + name + "\" was lost before the command started");
                return ExitCode.LOST;
            }
            Duration patience =
                    shortest(killAfter, lease.dividedBy(3), hold.remaining().dividedBy(3));
            return end(hold, run(hold, patience, messages), messages);
        } finally {
            hold.release();
        }
    }

    /** No bug here may leave a command without its lock. */
    private int run(LockHandle hold, Duration patience, Messages messages) throws InterruptedException {
        ProcessGroup group = start(hold, patience, messages);
        try {
            int code = new Supervision(hold, group, events, messages, patience).await();
            group.close();
            return code;
        } catch (InterruptedException | RuntimeException | Error e) {
            if (!isKilled(group)) {
                Distlock.halt(e, messages);
            }
            throw e;
        }
    }

    /** If the JVM cannot start the thread that waits for the command, the command runs, and only the guard knows it. */
    private ProcessGroup start(LockHandle hold, Duration patience, Messages messages) throws InterruptedException {
        try {
            return ProcessGroup.start(command, environment(hold), patience, messages);
        } catch (IOException e) {
            throw new Failure(
                    ExitCode.INTERNAL,
                    "cannot start a command. run needs /bin/sh, and setsid or perl: " + e.getMessage());
        } catch (RuntimeException | Error e) {
            Distlock.halt(e, messages);
            throw e;
        }
    }

    /** Kills the command. Returns false in doubt. */
    private static boolean isKilled(ProcessGroup group) {
        try {
            return group.kill();
        } catch (InterruptedException | RuntimeException | Error e) {
            return false;
        }
    }

    private static Duration shortest(Duration... durations) {
        return Collections.min(List.of(durations));
    }

    private Map<String, @Nullable String> environment(LockHandle hold) {
        Map<String, @Nullable String> environment = new TreeMap<>();
        environment.put("DISTLOCK_NAME", name);
        environment.put("DISTLOCK_TOKEN", String.valueOf(hold.fencingToken()));
        environment.put(StoreOptions.URL, null);
        return environment;
    }

    private int end(LockHandle hold, int code, Messages messages) {
        return switch (hold.release()) {
            case RELEASED -> code;
            case PENDING -> {
                messages.say("the store has not confirmed the release of lock \"" + name
                        + "\", which may stay busy until its lease ends");
                yield code;
            }
            case LOST -> {
                if (code != ExitCode.LOST) {
                    messages.say("lock \"" + name + "\" was lost before the command had ended");
                }
                yield ExitCode.LOST;
            }
        };
    }

    /** Prints why renewals fail. */
    private record FailedRenewals(Messages messages) implements LockListener {
        @Override
        public void renewalFailed(LockEvent event, Throwable cause) {
            messages.say("a renewal of lock \"" + event.lockName() + "\" failed: " + cause.getMessage());
        }
    }
}
