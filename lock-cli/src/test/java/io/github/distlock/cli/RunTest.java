package io.github.distlock.cli;

import static io.github.distlock.cli.Binary.LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.DistributedSemaphore;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockStatus;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code distlock run}: streams, environment, options and exit codes. */
@Tag("binary")
class RunTest {
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

    private static Binary run(String... arguments) {
        return Binary.start(server.uri(), arguments);
    }

    @Test
    void theCommandHasTheStreamsAndItsExitCodeIsThatOfDistlock() {
        try (Binary run = run("run", "streams", "--", "sh", "-c", "read line; echo \"got $line\"; exit 3")) {
            run.send("input");

            Result result = Result.of(run);

            assertEquals(List.of("got input"), result.output());
            assertEquals(3, result.code());
            assertEquals("", result.errors());
        }
    }

    @Test
    void theCommandKnowsNameAndTokenButNotTheAddress() throws InterruptedException {
        long before = tokenOfOneHold("environment");
        try (Binary run = run("run", "environment", "--", "sh", "-c", "env | grep ^DISTLOCK_ | sort")) {
            Result result = Result.of(run);

            assertEquals(2, result.output().size(), result::toString);
            assertEquals("DISTLOCK_NAME=environment", result.output().get(0));
            assertTrue(Long.parseLong(result.output().get(1).replace("DISTLOCK_TOKEN=", "")) > before);
        }
    }

    private static long tokenOfOneHold(String name) throws InterruptedException {
        try (LockHandle hold = locks.lock(name).acquire()) {
            return hold.fencingToken();
        }
    }

    /** {@code StopTest} has that of KILL. */
    @Test
    void exitCodesAreThoseOfAShell() {
        try (Binary notFound = run("run", "shell1", "--", "/no/such/program");
                Binary notExecutable = run("run", "shell2", "--", "/etc/passwd");
                Binary terminated = run("run", "shell3", "--", "sh", "-c", "kill -TERM $$")) {
            assertEquals(127, notFound.code());
            assertEquals(126, notExecutable.code());
            assertEquals(143, terminated.code());
        }
    }

    @Test
    void aBusyLockEndsWith75OrTheCodeOfTheOption() throws InterruptedException {
        try (LockHandle unused = locks.lock("busy").acquire();
                Binary once = run("run", "-n", "busy", "--", "echo", "ran");
                Binary skipped = run("run", "-n", "-E", "0", "busy", "--", "echo", "ran");
                Binary waited = run("run", "-w", "3s", "busy", "--", "echo", "ran")) {
            assertEquals(new Result(75, List.of(), "distlock: lock \"busy\" is busy\n"), Result.of(once));
            assertEquals(new Result(0, List.of(), "distlock: lock \"busy\" is busy\n"), Result.of(skipped));
            assertEquals(75, waited.code());
        }
    }

    @Test
    void withoutALimitItWaitsUntilTheLockIsFree() throws InterruptedException {
        LockHandle hold = locks.lock("waits").acquire();
        try (Binary run = run("run", "waits", "--", "echo", "ran")) {
            awaitWaiter("waits");

            hold.close();

            assertEquals("ran", run.line());
            assertEquals(0, run.code());
        }
    }

    private static void awaitWaiter(String name) {
        Waiting.await(
                "a waiter",
                LONG,
                () -> !locks.inspector().inspect(name).waiters().isEmpty());
    }

    @Test
    void aStoreThatDoesNotAnswerEndsWith69() {
        try (Binary run = Binary.start("redis://127.0.0.1:1", "run", "-n", "x", "--", "echo", "ran")) {
            Result result = Result.of(run);

            assertEquals(69, result.code());
            assertEquals(List.of(), result.output());
            assertTrue(result.errors().contains("cannot connect to 127.0.0.1:1"), result::errors);
        }
    }

    @Test
    void aRefusalEndsWith77() throws InterruptedException {
        DistributedSemaphore semaphore = locks.semaphore("refused", 1);
        try (LockHandle unused = semaphore.permit().acquire();
                Binary run = run("run", "refused", "--", "echo", "ran")) {
            Result result = Result.of(run);

            assertEquals(77, result.code());
            assertEquals(List.of(), result.output());
            assertTrue(result.errors().contains("used as a semaphore"), result::errors);
        }
    }

    /** {@code OptionsTest} has the other cases. */
    @Test
    void wrongUsageEndsWith64() {
        try (Binary withoutDashes = run("run", "x", "ls", "-n");
                Binary withoutValue = run("run", "--namespace", "--", "x", "--", "echo", "ran");
                Binary unknown = run("run", "x", "ls", "-l")) {
            assertEquals(
                    new Result(64, List.of(), "distlock: write -- before the command: distlock run x -- ls ...\n"),
                    Result.of(withoutDashes));
            Result refused = Result.of(withoutValue);
            assertEquals(64, refused.code(), refused::toString);
            assertEquals(List.of(), refused.output());
            assertTrue(
                    refused.errors().contains("Expected parameter for option '--namespace' but found '--'"),
                    refused::errors);
            assertEquals(64, unknown.code(), unknown::errors);
            assertTrue(unknown.errors().startsWith("distlock: Unknown option: '-l'"), unknown::errors);
        }
    }

    /** The standard error is a pipe that is full. The server ends before the release, which is a message. */
    @Test
    void messagesThatNobodyReadsDoNotKeepItFromEnding(@TempDir Path directory) {
        String fill = "mkfifo \"$0\"; exec 2<>\"$0\"; dd if=/dev/zero of=\"$0\" bs=4096 oflag=nonblock 2>/dev/null; "
                + "exec \"$@\"";
        String pipe = directory.resolve("pipe").toString();
        try (RedisServer other = RedisServer.start();
                Binary run = Binary.start(
                        List.of("DISTLOCK_URL=" + other.uri(), "sh", "-c", fill, pipe),
                        "run",
                        "unread",
                        "--",
                        "sh",
                        "-c",
                        "echo up; read line; exit 4")) {
            assertEquals("up", run.line());
            other.kill();

            run.send("go on");

            assertEquals(4, run.code());
        }
    }

    @Test
    void aMissingShellOrSetsidEndsWith70() {
        try (Binary run = Binary.start(
                List.of("DISTLOCK_URL=" + server.uri(), "PATH=/nowhere"), "run", "internal", "--", "/bin/true")) {
            assertEquals(70, run.code(), run::errors);
            assertTrue(run.errors().contains("setsid or perl"), run::errors);
        }
    }

    @Test
    void aPasswordOnTheCommandLineIsRefusedAndNotRepeated() {
        try (Binary password = run("who", "--url", "redis://:hunter2@127.0.0.1", "x")) {
            assertEquals(64, password.code());
            assertFalse(password.errors().contains("hunter2"), password::errors);
        }
    }

    @Test
    void theAddressComesFromAFileThatAnOptionOrTheEnvironmentNames(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("url"), server.uri() + "\n");
        String wrong = "DISTLOCK_URL=redis://127.0.0.1:1";
        try (Binary fileOption = Binary.start(List.of(wrong), "who", "--url-file", file.toString(), "x");
                Binary variable = Binary.start(List.of("DISTLOCK_URL_FILE=" + file), "who", "x")) {
            for (Binary each : List.of(fileOption, variable)) {
                assertEquals(0, each.code(), each::errors);
            }
        }
    }

    @Test
    void readersShareTheLockAndAWriterDoesNot() throws InterruptedException {
        try (LockHandle unused = locks.readWriteLock("read-write").readLock().acquire();
                Binary reader = run("run", "-n", "--read", "read-write", "--", "echo", "read");
                Binary writer = run("run", "-n", "--write", "read-write", "--", "echo", "written")) {
            assertEquals("read", reader.line());
            assertEquals(75, writer.code());
        }
    }

    @Test
    void leaseAndMinimumHoldReachTheStore() {
        try (Binary run = run(
                "run", "--lease", "5m", "--minimum-hold", "4m", "--fair", "kept", "--", "sh", "-c", "echo up; cat")) {
            run.line();
            Duration lease = holder("kept").orElseThrow().remainingLease();
            run.signal("TERM");
            run.code();

            LockStatus after = locks.inspector().inspect("kept");

            LockStatus.Kept kept = after.kept().orElseThrow(() -> new AssertionError(after + run.errors()));
            assertTrue(lease.compareTo(Duration.ofMinutes(4)) > 0, lease::toString);
            assertTrue(kept.remaining().compareTo(Duration.ofMinutes(2)) > 0, kept::toString);
        }
    }

    private static Optional<LockStatus.Holder> holder(String name) {
        return locks.inspector().inspect(name).holders().stream().findFirst();
    }

    @Test
    void aNamespaceSeparatesLocks() throws InterruptedException {
        try (LockHandle unused = locks.lock("named").acquire();
                Binary run = run("run", "-n", "--namespace", "shop", "--", "named", "echo", "ran")) {
            assertEquals("ran", run.line());
        }
    }
}
