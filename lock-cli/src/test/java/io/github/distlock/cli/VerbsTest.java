package io.github.distlock.cli;

import static io.github.distlock.cli.Binary.LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.ReleaseRequest;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The other verbs, on Redis. */
@Tag("binary")
class VerbsTest {
    private static final String NEXT_VIEW = "\u001b[J\u001b[H";

    private static RedisServer server;
    private static LockClient locks;

    @BeforeAll
    static void start() {
        server = RedisServer.start();
        locks = LockClient.builder(RedisBackend.connect(server.uri()))
                .name("tests")
                .build();
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
    void whoShowsHoldersAndWaiters() throws InterruptedException {
        try (LockHandle hold = locks.lock("who").acquire()) {
            var waiter = locks.lock("who").acquireAsync();
            Waiting.await(
                    "a waiter",
                    LONG,
                    () -> locks.inspector().inspect("who").waiters().size() == 1);
            try (Binary text = run("who", "who");
                    Binary json = run("who", "who", "-o", "json")) {
                Result shown = Result.of(text);
                assertEquals(0, shown.code(), shown::errors);
                assertTrue(shown.output().get(0).startsWith("STATE  MODE"), shown::toString);
                assertTrue(shown.output().get(1).startsWith("held "), shown::toString);
                assertTrue(shown.output().get(1).contains(" " + hold.fencingToken() + " "), shown::toString);
                assertTrue(shown.output().get(2).startsWith("waits "), shown::toString);
                String parsed = json.line();
                assertTrue(parsed.startsWith("{\"name\":\"who\",\"holders\":[{\"owner\":{\"host\":"), parsed);
                assertTrue(parsed.contains("\"client\":\"tests\""), parsed);
                assertTrue(parsed.contains("\"token\":\"" + hold.fencingToken() + "\""), parsed);
            }
            waiter.cancel(false);
        }
    }

    @Test
    void listShowsTheNamesWithAPrefix() throws InterruptedException {
        try (LockHandle unused =
                        locks.allOf(List.of("list/1", "list/2", "other")).acquire();
                Binary text = run("list", "list/");
                Binary json = run("list", "list/", "-o", "json", "--limit", "1")) {
            assertEquals(List.of("list/1", "list/2"), Result.of(text).output());
            Result cut = Result.of(json);
            assertTrue(cut.output().get(0).contains("\"cut\":true"), cut::toString);
            assertTrue(cut.errors().contains("more names than 1"), cut::errors);
        }
    }

    @Test
    void releaseEndsTheHoldWithTheTokenAndNoOther() throws InterruptedException {
        LockHandle hold = locks.lock("release").acquire();
        try (Binary other = run("release", "release", "--token", String.valueOf(hold.fencingToken() + 256))) {
            assertEquals(new Result(1, List.of("nothing to release"), ""), Result.of(other));
        }
        try (Binary json = run("release", "release", "--token", String.valueOf(hold.fencingToken()), "-o", "json")) {
            Result released = Result.of(json);
            assertEquals(0, released.code(), released::errors);
            assertTrue(released.output().get(0).contains("\"" + hold.fencingToken() + "\""), released::toString);
        }
        assertTrue(locks.inspector().inspect("release").holders().isEmpty());
        hold.release();
    }

    @Test
    void releaseByForceAsksOrNeedsYes() throws InterruptedException {
        LockHandle hold = locks.lock("force").acquire();
        try (ChildProgram terminal = Binary.startOnTerminal(
                        "release", "force", "--force", "--timeout", "30s", "--url", server.uri());
                Binary noAnswer = run("release", "force", "--force")) {
            terminal.send("n");
            assertEquals(1, terminal.awaitExit(LONG));
            assertEquals(ExitCode.USAGE, noAnswer.code());
        }
        assertEquals(1, locks.inspector().inspect("force").holders().size());

        try (Binary yes = run("release", "force", "--force", "--yes")) {
            Result released = Result.of(yes);
            assertEquals(0, released.code(), released::errors);
            assertTrue(released.output().get(1).startsWith("ended "), released::toString);
        }
        assertTrue(locks.inspector().inspect("force").holders().isEmpty());
        hold.release();
    }

    @Test
    void releaseAsksTheHoldersAndEndsNoHold() throws InterruptedException {
        try (Binary free = run("release", "ask", "--ask")) {
            assertEquals(new Result(1, List.of("nothing to release"), ""), Result.of(free));
        }
        LockHandle hold = locks.lock("ask").acquire();
        BlockingQueue<ReleaseRequest> heard = new LinkedBlockingQueue<>();
        hold.onReleaseRequested(heard::add);

        try (Binary text = run("release", "ask", "--ask");
                Binary json = run("release", "ask", "--ask", "-o", "json")) {
            assertEquals(new Result(0, List.of("asked 1 holder"), ""), Result.of(text));
            assertEquals(new Result(0, List.of("{\"asked\":1}"), ""), Result.of(json));
        }

        assertNotNull(heard.poll(LONG.toSeconds(), TimeUnit.SECONDS));
        assertTrue(hold.isHeld());
        hold.release();
    }

    @Test
    void doctorReportsFindings() {
        try (Binary text = run("doctor");
                Binary json = run("doctor", "-o", "json");
                Binary dead = Binary.start("redis://127.0.0.1:1", "doctor")) {
            Result findings = Result.of(text);
            assertEquals(0, findings.code(), findings::toString);
            assertTrue(findings.output().get(0).startsWith("WARNING PERSISTENCE"), findings::toString);
            assertTrue(json.line().startsWith("{\"findings\":[{\"severity\":\"WARNING\""));
            assertEquals(69, dead.code());
        }
    }

    @Test
    void topShowsLocksOnATerminalAndElsewhere() throws InterruptedException {
        try (LockHandle unused = locks.lock("top/lock").acquire();
                ChildProgram terminal = top(server, "top/", "--count", "2", "--interval", "100ms", "--timeout", "30s");
                Binary text = run("top", "top/", "--count", "1");
                Binary json = run("top", "top/", "--count", "1", "-o", "json")) {
            assertEquals(
                    "\u001b[Hlocks 1, held 1, waiters 0\u001b[K",
                    terminal.nextLine(LONG).strip());
            assertTrue(terminal.awaitLine("top/lock", LONG).contains("tests "));
            assertTrue(terminal.awaitLine(NEXT_VIEW, LONG).contains("locks 1"));
            assertEquals(0, terminal.awaitExit(LONG));
            assertEquals("locks 1, held 1, waiters 0", text.line());
            assertTrue(json.line().startsWith("{\"locks\":[{\"name\":\"top/lock\""));
        }
    }

    private static ChildProgram top(RedisServer store, String... arguments) {
        List<String> all = new ArrayList<>(List.of("top", "--url", store.uri()));
        all.addAll(List.of(arguments));
        return Binary.startOnTerminal(all.toArray(String[]::new));
    }

    @Test
    void topGoesOnWhenTheStoreAnswersAgain() {
        try (RedisServer other = RedisServer.start();
                ChildProgram terminal = top(other, "--interval", "100ms", "--timeout", "1s")) {
            terminal.awaitLine(NEXT_VIEW + "locks 0", LONG);

            other.kill();
            String outage = terminal.awaitLine(NEXT_VIEW + "no answer for ", LONG);
            other.restart(false);

            assertTrue(outage.contains("s: "), outage);
            terminal.awaitLine(NEXT_VIEW + "locks 0", LONG);
        }
    }

    @Test
    void topEndsWith69AtItsLastViewOrIfAProgramReadsIt() {
        try (RedisServer other = RedisServer.start()) {
            other.kill();
            try (ChildProgram terminal = top(other, "--count", "2", "--interval", "1ms", "--timeout", "1s");
                    Binary text = Binary.start(other.uri(), "top")) {
                terminal.awaitLine("\u001b[Hno answer for ", LONG);
                assertEquals(69, terminal.awaitExit(LONG));
                assertEquals(69, text.code());
            }
        }
    }

    @Test
    void benchMeasuresEachCase() {
        try (Binary text = run("bench", "--time", "10ms", "--threads", "2");
                Binary json = run("bench", "--time", "10ms", "--threads", "2", "-o", "json")) {
            Result table = Result.of(text);
            assertEquals(0, table.code(), table::errors);
            assertEquals(5, table.output().size(), table::toString);
            assertTrue(json.line().startsWith("{\"cases\":[{\"case\":\"a free lock, 1 thread\",\"perSecond\":"));
        }
    }

    @Test
    void benchEndsWith69IfTheStoreDoesNotAnswer() {
        try (Binary bench = Binary.start("redis://127.0.0.1:1", "bench", "--time", "1m", "--threads", "2")) {
            assertEquals(69, bench.code(), bench::errors);
            assertTrue(bench.errors().contains("cannot connect to 127.0.0.1:1"), bench::errors);
        }
    }

    @Test
    void helpVersionAndCompletionArePrinted() {
        try (Binary help = run("run", "--help");
                Binary version = run("--version");
                Binary completion = run("generate-completion")) {
            Result printed = Result.of(help);
            assertEquals(0, printed.code());
            assertEquals(
                    "Usage: distlock run [OPTION]... NAME -- COMMAND [ARGUMENT]...",
                    printed.output().get(0));
            assertTrue(version.line().startsWith("distlock "));
            assertTrue(Result.of(completion).output().stream().anyMatch(line -> line.contains("complete -F")));
        }
    }
}
