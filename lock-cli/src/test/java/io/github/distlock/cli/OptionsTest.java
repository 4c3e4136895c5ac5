package io.github.distlock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockStatus;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;

/** What the options mean, and how results are written. */
class OptionsTest {
    @Test
    void durationsHaveUnitsAndNumbersAreSeconds() {
        DurationOption option = new DurationOption();

        assertEquals(Duration.ofSeconds(10), option.convert("10"));
        assertEquals(Duration.ofMillis(2500), option.convert("2.5"));
        assertEquals(Duration.ofMillis(250), option.convert("250ms"));
        assertEquals(Duration.ofSeconds(90), option.convert("1.5m"));
        assertEquals(Duration.ofHours(1), option.convert("1h"));
        for (String wrong : List.of("", "-1", "1d", "s", "1 s", "1e3", "999999999h")) {
            assertThrows(TypeConversionException.class, () -> option.convert(wrong), wrong);
        }
    }

    @Test
    void allAfterTheDashesBelongsToTheCommand() {
        CommandLine line = new CommandLine(new RunVerb()).setExpandAtFiles(false);

        line.parseArgs("name", "-w", "5m", "--", "ls", "-l", "--", "@file", "${x}");

        RunVerb run = line.getCommand();
        assertEquals("name", run.name);
        assertEquals(Duration.ofMinutes(5), run.maxWait);
        assertEquals(List.of("ls", "-l", "--", "@file", "${x}"), run.command);
    }

    @Test
    void aCommandWithoutDashesIsRefusedWithTheRightLine() {
        for (String wrong : List.of("ls", "ls -n", "ls -l", "ls -w", "ls -n -- -l")) {
            String message = refusal(("run job " + wrong).split(" ", -1));

            assertTrue(message.contains("distlock run job -- ls ..."), wrong + ": " + message);
        }
        assertTrue(refusal("run", "job").contains("distlock run job -- COMMAND ..."));
        assertTrue(refusal("run").contains("distlock run NAME -- COMMAND ..."));
    }

    @Test
    void aMessageNamesTheOptionThatIsWrong(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("url"), "ftp://h");
        List<List<String>> all = List.of(
                List.of("--url", "who", "--url", "ftp://h", "x"),
                List.of("--url", "who", "--url", "redis://h:port", "x"),
                List.of("--url", "who", "--url", "zookeeper://h:port", "x"),
                List.of("--url-file", "who", "--url-file", "/no/such/file", "x"),
                List.of("--url-file", "who", "--url-file", file.toString(), "x"),
                List.of("--namespace", "who", "--namespace", "a b", "x"),
                List.of("--namespace", "run", "--namespace", "--", "x", "--", "true"),
                List.of("--namespace", "run", "--namespace", "--", "x"),
                List.of("--namespace", "who", "--namespace", "-shop", "x"),
                List.of("--url", "who", "--url", "--namespace", "x"),
                List.of("--url-file", "who", "--url-file", "-o", "x"),
                List.of("--timeout", "who", "--timeout", "0", "x"),
                List.of("--output", "who", "--output", "xml", "x"),
                List.of("NAME", "who", ""),
                List.of("NAME", "run", "", "--", "true"),
                List.of("PREFIX", "list", "x".repeat(2000)),
                List.of("PREFIX", "top", "x".repeat(2000)),
                List.of("--lease", "run", "--lease", "0", "x", "--", "true"),
                List.of("--lease", "run", "--lease", "48h", "x", "--", "true"),
                List.of("--lease", "run", "--url", "zookeeper://h:1", "--lease", "1ms", "x", "--", "true"),
                List.of("--lease", "run", "--lease", "long", "x", "--", "true"),
                List.of("--minimum-hold", "run", "--minimum-hold", "0", "x", "--", "true"),
                List.of("--minimum-hold", "run", "--read", "--minimum-hold", "1s", "x", "--", "true"),
                List.of("--wait", "run", "-w", "soon", "x", "--", "true"),
                List.of("-w", "run", "-n", "-w", "1", "x", "--", "true"),
                List.of("-E", "run", "-E", "256", "x", "--", "true"),
                List.of("--write", "run", "--read", "--write", "x", "--", "true"),
                List.of("COMMAND", "run", "x", "--", "-x"),
                List.of("--limit", "list", "--limit", "0"),
                List.of("--limit", "top", "--limit", "0"),
                List.of("--interval", "top", "--interval", "0"),
                List.of("--count", "top", "--count", "-1"),
                List.of("--token", "release", "--token", "first", "x"),
                List.of("--token", "release", "--token", "-5", "x"),
                List.of("--force", "release", "x"),
                List.of("--ask", "release", "--force", "--ask", "x"),
                List.of("--threads", "bench", "--threads", "1"),
                List.of("--time", "bench", "--time", "0"));
        for (List<String> each : all) {
            List<String> arguments = new ArrayList<>(each.subList(1, each.size()));
            if (!each.contains("--url") && !each.contains("--url-file")) {
                arguments.addAll(1, List.of("--url", "redis://127.0.0.1:1"));
            }

            String message = refusal(arguments.toArray(String[]::new));

            assertTrue(message.contains(each.get(0)), each + ": " + message);
        }
    }

    /** Returns the message about wrong usage, which each verb finds before it connects. */
    private static String refusal(String... arguments) {
        try {
            Callable<?> verb = (Callable<?>) Distlock.commandLine()
                    .parseArgs(arguments)
                    .subcommand()
                    .commandSpec()
                    .userObject();
            RuntimeException failure = assertThrows(RuntimeException.class, verb::call);
            assertEquals(ExitCode.USAGE, ExitCode.of(failure), failure::toString);
            return Distlock.naming(failure);
        } catch (ParameterException e) {
            return String.join("\n", Distlock.messages(e, arguments));
        }
    }

    @Test
    void withoutAnAddressOrWithTwoTheUsageIsWrong() {
        StoreOptions two = new StoreOptions();
        two.url = "redis://h";
        two.urlFile = Path.of("file");

        assertEquals(ExitCode.USAGE, failure(two, Map.of()).exitCode);
        assertEquals(ExitCode.USAGE, failure(new StoreOptions(), Map.of()).exitCode);
        assertEquals(
                "redis://h",
                new StoreOptions()
                        .address(Map.of("DISTLOCK_URL", "redis://h\n"))
                        .text());
    }

    @Test
    void aPasswordOfSentinelsInAnOptionIsRefusedAndNotRepeated() {
        String message = refusal("who", "--url", "redis-sentinel://h/p?sentinelPassword=hunter2", "x");

        assertTrue(message.startsWith("--url must not contain a password"), message);
        assertFalse(message.contains("hunter2"), message);
    }

    @Test
    void noMessageRepeatsAnAddress() {
        for (String wrong : List.of("reddis://:hunter2@h", "redis://hunter2@h", "zookeeper://u:hunter2@h:1")) {
            StoreOptions options = new StoreOptions();

            Failure failure = assertThrows(
                    Failure.class,
                    () -> options.backend(options.address(Map.of("DISTLOCK_URL", wrong)), Duration.ofSeconds(30)));

            assertEquals(ExitCode.USAGE, failure.exitCode);
            assertFalse(failure.getMessage().contains("hunter2"), failure::getMessage);
        }
    }

    private static Failure failure(StoreOptions options, Map<String, String> environment) {
        return assertThrows(Failure.class, () -> options.address(environment));
    }

    @Test
    void jsonEscapesWhatItMust() {
        assertEquals("{\"a\\\"\\\\\":[1,true,null,\"\\u000a\\u00e9\"]}", json());
        assertEquals("\"\\ud83d\\ude00\"", Json.of("😀"));
    }

    private static String json() {
        ArrayList<Object> list = new ArrayList<>(List.of(1, true));
        list.add(null);
        list.add("\né");
        return Json.of(Map.of("a\"\\", list));
    }

    @Test
    void aFreeLockIsShownAsFree() {
        assertEquals(List.of("free"), Locks.lines(LockStatus.free("x")));
    }

    @Test
    void columnsOfATableHaveEqualWidths() {
        assertEquals(List.of("A    B", "ccc  d"), Output.table(List.of(List.of("A", "B"), List.of("ccc", "d"))));
    }

    @Test
    void widthsAreThoseOfATerminal() {
        assertEquals(6, Width.of("订单锁"));
        assertEquals(6, Width.of("ｶﾅ한글"));
        assertEquals(4, Width.of("ＡＢ"));
        assertEquals(6, Width.of("🔒ab⏰"));
        assertEquals(4, Width.of("cafe\u0301"));
        assertEquals(2, Width.of("か\u3099"));
        assertEquals(
                List.of("订单锁  1", "job     2", "🔒      3"),
                Output.table(List.of(List.of("订单锁", "1"), List.of("job", "2"), List.of("🔒", "3"))));
    }

    @Test
    void aScreenHasAsManyLinesAndColumnsAsTheTerminal() {
        assertEquals(
                "\u001b[H12345\u001b[K\n订单\u001b[K\n3\u001b[K\n\u001b[J",
                TopVerb.screen(List.of("123456", "订单锁", "3", "4"), new Terminal.Size(4, 5)));
    }
}
