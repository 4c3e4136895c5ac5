package io.github.distlock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
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
        for (String wrong : List.of("", "-1", "1d", "s", "1 s", "1e3")) {
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
    void withoutAnAddressOrWithTwoTheUsageIsWrong() {
        StoreOptions two = new StoreOptions();
        two.url = "redis://h";
        two.urlFile = Path.of("file");

        assertEquals(ExitCode.USAGE, failure(two, Map.of()).exitCode);
        assertEquals(ExitCode.USAGE, failure(new StoreOptions(), Map.of()).exitCode);
        assertEquals("redis://h", new StoreOptions().address(Map.of("DISTLOCK_URL", "redis://h\n")));
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
