package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.waiting.Waiting;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(180)
@Tag("servers")
@ResourceLock("starts servers and processes")
class ChildProgramTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final Duration SHORT = Duration.ofMillis(100);

    /** Answers each line, and exits with an error on {@code fail}. */
    static final class Echo {
        public static void main(String[] arguments) throws IOException {
            System.out.println("ready " + String.join(",", arguments));
            BufferedReader input = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            for (String line = input.readLine(); line != null; line = input.readLine()) {
                if (line.equals("fail")) {
                    System.err.println("for a reason");
                    System.exit(3);
                }
                System.out.println("heard " + line);
            }
        }
    }

    /** Starts a server and a child process, then waits for input. */
    static final class Parent {
        public static void main(String[] arguments) throws IOException {
            RedisServer server = RedisServer.start();
            ChildProgram child = ChildProgram.start(Echo.class);
            child.awaitLine("ready", LIMIT);
            child.suspend();
            System.out.println("child " + child.pid());
            System.out.println("server " + server.port());
            System.in.read();
        }
    }

    @Test
    void api_testAndProgramExchangeLines() {
        try (ChildProgram program = ChildProgram.start(Echo.class, "a", "b")) {
            assertEquals("ready a,b", program.nextLine(LIMIT));
            program.send("one");
            program.send("twö");
            assertEquals("heard twö", program.awaitLine("heard t", LIMIT));
            assertTrue(program.isAlive());
            program.send("fail");
            assertEquals(3, program.awaitExit(LIMIT));
            assertFalse(program.isAlive());
        }
    }

    @Test
    void api_failuresShowWhatTheProgramWrote() {
        try (ChildProgram program = ChildProgram.start(Echo.class)) {
            program.send("one");
            program.awaitLine("ready", LIMIT);
            IllegalStateException late =
                    assertThrows(IllegalStateException.class, () -> program.awaitLine("two", Duration.ofSeconds(2)));
            assertTrue(late.getMessage().contains("skipped: heard one"), late.getMessage());
            program.send("fail");
            IllegalStateException end =
                    assertThrows(IllegalStateException.class, () -> program.awaitLine("two", LIMIT));
            assertTrue(end.getMessage().contains("for a reason"), end.getMessage());
            assertThrows(IllegalStateException.class, () -> program.nextLine(LIMIT));
        }
    }

    @Test
    void api_aSuspendedProgramDoesNothingUntilItIsResumed() {
        try (ChildProgram program = ChildProgram.start(Echo.class)) {
            program.awaitLine("ready", LIMIT);
            program.suspend();
            program.send("one");
            assertThrows(IllegalStateException.class, () -> program.nextLine(SHORT));
            assertThrows(IllegalStateException.class, () -> program.awaitExit(SHORT));
            program.resume();
            assertEquals("heard one", program.nextLine(LIMIT));
        }
    }

    @Test
    void api_aSuspendedProgramCanBeKilled() {
        try (ChildProgram program = ChildProgram.start(Echo.class)) {
            program.awaitLine("ready", LIMIT);
            program.suspend();
            program.kill();
            assertFalse(program.isAlive());
            assertEquals(137, program.awaitExit(LIMIT));
        }
    }

    @Test
    void api_noChildOutlivesAKilledJvm() {
        assertNoChildOutlives(ChildProgram::kill);
    }

    @Test
    void api_noChildOutlivesAJvmThatExits() {
        assertNoChildOutlives(parent -> parent.send("end"));
    }

    private static void assertNoChildOutlives(Consumer<ChildProgram> end) {
        try (ChildProgram parent = ChildProgram.start(List.of("-Dlock.servers=processes"), Parent.class)) {
            long child = number(parent.awaitLine("child ", LIMIT));
            int port = (int) number(parent.awaitLine("server ", LIMIT));
            assertTrue(isAlive(child));
            assertTrue(listens(port));
            end.accept(parent);
            assertTrue(Waiting.until(LIMIT, () -> !isAlive(child) && !listens(port)));
        }
    }

    private static long number(String line) {
        return Long.parseLong(line.substring(line.indexOf(' ') + 1));
    }

    private static boolean isAlive(long pid) {
        Optional<ProcessHandle> process = ProcessHandle.of(pid);
        return process.isPresent() && process.get().isAlive();
    }

    private static boolean listens(int port) {
        try (RedisConnection connection = new RedisConnection("localhost", port)) {
            return connection.ask("PING").equals("+PONG");
        } catch (IOException e) {
            return false;
        }
    }
}
