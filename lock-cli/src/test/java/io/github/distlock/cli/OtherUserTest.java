package io.github.distlock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.RedisServer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * {@code distlock run} with processes that it may not signal, so that they stay after KILL. Only root can start a
 * process of another user. It may also signal that process, unless it gives up the right. If another user than root
 * runs these tests, they check nothing, and the output says so.
 */
@Tag("binary")
class OtherUserTest {
    private static final boolean IS_ROOT = System.getProperty("user.name").equals("root");
    private static final String AS_ANOTHER_USER = "setpriv --reuid 65534 --clear-groups ";
    /** As soon as it reads a line, it ends, and leaves a process of another user, which outlives this test. */
    private static final String LEAVING =
            "echo $$; " + AS_ANOTHER_USER + "sh -c 'echo up; exec sleep 100' & read line; exit 5";

    private static RedisServer server;
    private static LockClient locks;

    @BeforeAll
    static void start() {
        if (!IS_ROOT) {
            System.out.println("OtherUserTest: checks nothing, because only root starts processes of another user");
        }
        server = RedisServer.start();
        locks = LockClient.create(RedisBackend.connect(server.uri()));
    }

    @AfterAll
    static void end() {
        locks.close();
        server.close();
    }

    private static Binary run(String script, String... options) {
        return Binary.start(environment(), arguments(script, options));
    }

    private static List<String> environment() {
        return List.of("DISTLOCK_URL=" + server.uri(), "setpriv", "--bounding-set", "-kill");
    }

    private static String[] arguments(String script, String... options) {
        List<String> arguments = new ArrayList<>(List.of("run"));
        arguments.addAll(List.of(options));
        arguments.addAll(List.of("--kill-after", "100ms", "--", "sh", "-c", script));
        return arguments.toArray(String[]::new);
    }

    private static boolean isFree(String name) {
        return locks.inspector().inspect(name).holders().isEmpty();
    }

    private static void killGroup(long leader) {
        Binary.group(leader).forEach(process -> Binary.signal("KILL", process));
    }

    @Test
    void aCommandThatGetsNoSignalKeepsTheLockUntilItEnds() {
        if (!IS_ROOT) {
            return;
        }
        try (Binary run = run("exec " + AS_ANOTHER_USER + "sh -c 'echo up; read line; exit 4'", "command")) {
            assertEquals("up", run.line());
            run.signal("TERM");
            run.awaitError("cannot send TERM to the command, because it runs as another user");
            assertFalse(isFree("command"));

            run.send("go on");

            assertEquals(4, run.code());
            assertTrue(isFree("command"));
        }
    }

    @Test
    void aLockStaysHeldUntilTheLastProcessOfTheCommandEnds() {
        if (!IS_ROOT) {
            return;
        }
        try (Binary run = run(LEAVING, "left")) {
            long group = Long.parseLong(run.line());
            assertEquals("up", run.line());
            run.send("end");
            run.awaitError("a process of the command does not end: lock \"left\" stays held until it does");
            assertFalse(isFree("left"));

            killGroup(group);

            assertEquals(5, run.code());
            assertTrue(isFree("left"));
        }
    }

    @Test
    void aLostLockDoesNotWaitForAProcessThatDoesNotEnd() {
        if (!IS_ROOT) {
            return;
        }
        try (Binary run = run(LEAVING, "lost", "--lease", "6s")) {
            long group = Long.parseLong(run.line());
            assertEquals("up", run.line());
            run.send("end");
            run.awaitError("stays held until it does");

            locks.inspector().forceRelease("lost");

            assertEquals(80, run.code(), run::errors);
            assertTrue(run.errors().contains("does not end, and lock \"lost\" is lost"), run::errors);
            killGroup(group);
        }
    }

    @Test
    void afterAnInternalErrorALockIsNotReleasedWhileAProcessRuns() {
        if (!IS_ROOT) {
            return;
        }
        String script = "echo $$; exec " + AS_ANOTHER_USER + "sh -c 'echo up; exec sleep 100'";
        try (Binary run = Binary.startInterrupted(environment(), arguments(script, "internal", "--lease", "10m"))) {
            long group = Long.parseLong(run.line());
            assertEquals("up", run.line());

            run.send("fail");

            assertEquals(70, run.code(), run::errors);
            assertTrue(run.errors().contains("internal error, and the command may still run"), run::errors);
            assertTrue(run.errors().contains("InterruptedException"), run::errors);
            assertFalse(isFree("internal"));
            killGroup(group);
        }
    }
}
