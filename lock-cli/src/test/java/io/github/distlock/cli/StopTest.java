package io.github.distlock.cli;

import static io.github.distlock.cli.Binary.LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** {@code distlock run}: signals, kills and losses. Each command first prints the number of its process group. */
@Tag("binary")
class StopTest {
    private static final String READY = "echo $$; ";
    /** Says so when it is asked to end, and goes on. */
    private static final String STUBBORN = "trap 'echo TERM' TERM; " + READY + "while :; do sleep 0.05; done";

    private static RedisServer server;
    private static LockClient locks;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        locks = LockClient.create(RedisBackend.connect(server.uri()));
    }

    @AfterAll
    static void end() {
        locks.close();
        server.close();
    }

    private static Binary run(String script, String... options) {
        return run(server, script, options);
    }

    private static Binary run(RedisServer store, String script, String... options) {
        List<String> arguments = new ArrayList<>(List.of("run"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("--", "sh", "-c", script));
        return Binary.start(store.uri(), arguments.toArray(String[]::new));
    }

    private static void awaitEndOfGroup(long leader) {
        Waiting.await(
                "the end of all processes", LONG, () -> Binary.group(leader).isEmpty());
    }

    @ParameterizedTest
    @ValueSource(strings = {"TERM", "INT", "HUP"})
    void aSignalReachesAllProcessesOfTheCommand(String signal) {
        String script = "trap 'echo child; exit 9' " + signal + "; " + READY + "sh -c 'trap \"echo grandchild; exit\" "
                + signal + "; echo up; while :; do sleep 0.05; done'";
        try (Binary run = run(script, "signal-" + signal)) {
            long group = Long.parseLong(run.line());
            assertEquals("up", run.line());

            run.signal(signal);

            Result result = Result.of(run);
            assertEquals(9, result.code(), result::toString);
            assertEquals(List.of("grandchild", "child"), result.output(), result::toString);
            assertEquals(List.of(), Binary.group(group));
        }
    }

    @Test
    void aSignalEndsAWaitAndLeavesNothing() throws InterruptedException {
        try (LockHandle unused = locks.lock("waits").acquire();
                Binary run = run(READY, "waits")) {
            Waiting.await(
                    "a waiter",
                    LONG,
                    () -> !locks.inspector().inspect("waits").waiters().isEmpty());

            run.signal("TERM");

            Result result = Result.of(run);
            assertEquals(143, result.code(), result::toString);
            assertEquals(List.of(), result.output());
            assertEquals(List.of(), locks.inspector().inspect("waits").waiters());
        }
    }

    @Test
    void aKilledCommandReleasesTheLockAtOnce() throws InterruptedException {
        try (Binary run = run(READY + "exec sleep 600", "killed-command", "--lease", "10m")) {
            Binary.signal("KILL", Long.parseLong(run.line()));

            assertEquals(137, run.code());
            assertTrue(locks.lock("killed-command").tryAcquire().isPresent());
        }
    }

    /** The command writes to a file, because Java may close the pipe of a process that has ended. */
    @Test
    void theGuardEndsTheCommandIfDistlockIsKilled(@TempDir Path directory) throws IOException, InterruptedException {
        Path told = directory.resolve("told");
        String script = "trap 'echo TERM >" + told + "' TERM; " + READY + "while :; do sleep 0.05; done";
        try (Binary run = run(script, "killed-wrapper", "--lease", "3s")) {
            long group = Long.parseLong(run.line());

            run.signal("KILL");

            awaitEndOfGroup(group);
            assertEquals("TERM\n", Files.readString(told));
            assertTrue(locks.lock("killed-wrapper").tryAcquire(LONG).isPresent());
        }
    }

    @Test
    void anotherGuardTakesThePlaceOfAKilledOne() {
        try (Binary run = run("trap 'exit 9' TERM; " + READY + "while :; do sleep 0.05; done", "killed-guard")) {
            long group = Long.parseLong(run.line());
            ProcessHandle guard = guard(run, group);
            guard.destroyForcibly();
            guard.onExit().join();

            run.signal("TERM");

            assertEquals(9, run.code());
        }
    }

    @Test
    void anotherGuardTakesThePlaceOfASuspendedOne() {
        try (Binary run = run(STUBBORN, "suspended-guard", "--kill-after", "1s")) {
            long group = Long.parseLong(run.line());
            ProcessHandle guard = guard(run, group);
            suspend(guard, run);

            run.signal("KILL");

            awaitEndOfGroup(group);
        }
    }

    /** If it is not replaced, it must go on, because it would keep the command from being ended. */
    private static void suspend(ProcessHandle guard, Binary run) {
        Binary.signal("STOP", guard.pid());
        try {
            run.awaitError("another one has taken its place");
        } finally {
            Binary.signal("CONT", guard.pid());
        }
        guard.onExit().join();
    }

    @Test
    void aSuspendedGuardDelaysASignalAndDoesNotLoseIt() {
        try (Binary run = run("trap 'exit 9' TERM; " + READY + "while :; do sleep 0.05; done", "delayed")) {
            Binary.signal("STOP", guard(run, Long.parseLong(run.line())).pid());

            run.signal("TERM");

            assertEquals(9, run.code());
        }
    }

    private static ProcessHandle guard(Binary run, long command) {
        return ProcessHandle.of(run.pid())
                .orElseThrow()
                .children()
                .filter(child -> child.pid() != command)
                .findFirst()
                .orElseThrow();
    }

    @Test
    void whatTheCommandLeavesIsStoppedBeforeTheRelease() {
        try (Binary run = run("trap '' TERM; sleep 600 & " + READY + "exit 5", "left", "--kill-after", "1s")) {
            long group = Long.parseLong(run.line());

            assertEquals(5, run.code());
            assertEquals(List.of(), Binary.group(group));
        }
    }

    @Test
    void anInternalErrorKillsTheCommandBeforeTheRelease() throws InterruptedException {
        try (Binary run = Binary.startInterrupted(
                List.of("DISTLOCK_URL=" + server.uri()), "run", "internal", "--", "sh", "-c", STUBBORN)) {
            long group = Long.parseLong(run.line());

            run.send("fail");

            assertEquals(70, run.code(), run::errors);
            assertEquals(List.of(), Binary.group(group));
            assertTrue(locks.lock("internal").tryAcquire().isPresent());
        }
    }

    /** Only the guard knows the command, and ends it. The lease of the lock outlasts the test. */
    @Test
    void aCommandThatCannotBeWatchedKeepsItsLock() {
        try (Binary run = Binary.startUnwatched(
                List.of("DISTLOCK_URL=" + server.uri()),
                "run",
                "unwatched",
                "--lease",
                "10m",
                "--",
                "sh",
                "-c",
                "exec sleep 600")) {

            assertEquals(70, run.code(), run::errors);

            assertTrue(run.errors().contains("internal error, and the command may still run"), run::errors);
            assertTrue(run.errors().contains("RejectedExecutionException"), run::errors);
            assertFalse(locks.inspector().inspect("unwatched").holders().isEmpty());
        }
    }

    @Test
    void aLockThatIsTakenAwayStopsTheCommandWith80() {
        try (Binary run = run(STUBBORN, "taken", "--lease", "6s", "--kill-after", "2s")) {
            long group = Long.parseLong(run.line());

            locks.inspector().forceRelease("taken");

            Result result = Result.of(run);
            assertEquals(80, result.code(), result::toString);
            assertEquals(List.of("TERM"), result.output());
            assertTrue(result.errors().contains("was lost (GONE)"), result::errors);
            assertEquals(List.of(), Binary.group(group));
        }
    }

    /** The lock is not lost when the command ends: its validity is not over. */
    @Test
    void aKilledServerEndsTheCommandBeforeTheLock() {
        try (RedisServer other = RedisServer.start();
                Binary run = run(other, STUBBORN, "server", "--lease", "6s")) {
            long group = Long.parseLong(run.line());

            other.kill();

            Result result = Result.of(run);
            assertEquals(80, result.code(), result::toString);
            assertEquals(List.of("TERM"), result.output());
            assertTrue(result.errors().contains("is about to be lost"), result::errors);
            String untilTheKill = result.errors().split("killing the command", 2)[0];
            assertFalse(untilTheKill.contains("was lost"), result::errors);
            assertEquals(List.of(), Binary.group(group));
        }
    }

    @Test
    void aTerminalInterruptsTheCommandOnce() {
        String script = "trap 'echo INT' INT; trap 'exit 9' TERM; " + READY + "while :; do sleep 0.05; done";
        try (ChildProgram terminal = Binary.startOnTerminal(
                "run", "--timeout", "30s", "--url", server.uri(), "terminal", "--", "sh", "-c", script)) {
            long group = Long.parseLong(terminal.nextLine(LONG).strip());

            // In one write: each of them discards output that the terminal has not passed on.
            terminal.send("\u0003\u001a");

            assertEquals("INT", withoutEcho(terminal));
            ProcessHandle.of(group).flatMap(ProcessHandle::parent).orElseThrow().destroy();
            assertEquals(9, terminal.awaitExit(LONG));
            assertFalse(rest(terminal).contains("INT"));
        }
    }

    private static String withoutEcho(ChildProgram terminal) {
        String line = terminal.nextLine(LONG);
        return line.startsWith("^") || line.isBlank() ? withoutEcho(terminal) : line.strip();
    }

    private static List<String> rest(ChildProgram terminal) {
        List<String> rest = new ArrayList<>();
        try {
            while (true) {
                rest.add(withoutEcho(terminal));
            }
        } catch (IllegalStateException e) {
            return rest; // the output has ended
        }
    }

    @Test
    void aCommandGetsAThirdOfTheLeaseAtMostUntilItIsKilled() {
        try (Binary run = run(STUBBORN, "third", "--lease", "3s", "--kill-after", "10m")) {
            long group = Long.parseLong(run.line());

            locks.inspector().forceRelease("third");

            assertEquals(80, run.code());
            assertEquals(List.of(), Binary.group(group));
        }
    }
}
