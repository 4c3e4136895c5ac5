package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Map.entry;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.tests.servers.ChildProgram;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.platform.console.ConsoleLauncher;
import redis.clients.jedis.RedisClient;

/**
 * Runs the tests of the scripts with one mutation after the other, each in a separate JVM, until one test fails. It
 * does not run by default; {@code -Dtest=ScriptMutations} runs it. The property {@code lock.mutations} selects
 * mutations: a regular expression that finds something in the first line of their blocks.
 */
class ScriptMutations {
    private static final List<Class<?>> TESTS = List.of(
            HoldScriptsTest.class,
            QueueScriptsTest.class,
            ManyWaitersTest.class,
            KeptLockTest.class,
            LockDelayTest.class,
            LateRequestsTest.class,
            HandoffMessagesTest.class,
            SharedHoldsTest.class,
            SharedQueueTest.class,
            RedisBackendTest.class,
            ReplicaTest.class,
            ReleaseRequestTest.class,
            SlotMigrationTest.class,
            ForeignHoldTest.class,
            ForeignTurnsTest.class,
            StickyLockTest.class);

    /** Scripts of which few tests see all that they do. */
    private static final Map<String, List<Class<?>>> OWN_TESTS = Map.ofEntries(
            entry("acquire-alone.lua", List.of(SlotMigrationTest.class)),
            entry("end-alone.lua", List.of(SlotMigrationTest.class)),
            entry("fence.lua", List.of(RedisFenceTest.class)),
            entry("foreign.lua", List.of(ForeignHoldTest.class, ForeignTurnsTest.class, QueueScriptsTest.class)),
            entry("is-waited-for.lua", List.of(NameScanTest.class)),
            entry("keep-alone.lua", List.of(SlotMigrationTest.class)),
            entry("keep-tokens.lua", List.of(ManyLocksTest.class)),
            entry("lease.lua", List.of(LockDelayTest.class, HoldScriptsTest.class)),
            entry("next-base.lua", List.of(NextBaseTest.class)),
            entry("over.lua", List.of(LockDelayTest.class)),
            entry("raise.lua", List.of(VoteScriptsTest.class)),
            entry("release-many.lua", List.of(ManyLocksTest.class)),
            entry("request-release.lua", List.of(ReleaseRequestTest.class, StickyLockTest.class, ReplicaTest.class)),
            entry("renew-many.lua", List.of(ManyLocksTest.class)),
            entry("try-commands.lua", List.of(HealthTest.class)),
            entry("vote.lua", List.of(VoteScriptsTest.class)));

    private static final Pattern SELECTED = Pattern.compile(System.getProperty("lock.mutations", ""));

    private static final Pattern INCLUDE = Pattern.compile("(?m)^--#include (\\w+)$");

    private static final Duration LIMIT = Duration.ofMinutes(5);

    /** One block of the list. */
    record Mutation(String script, String consequence, boolean survives, String goes, String comes) {
        static Mutation of(String block) {
            List<String> lines = block.lines().toList();
            String[] head = lines.get(0).split(": ", 2);
            String script = head[0].replace(", survives", "");
            return new Mutation(script, head[1], !script.equals(head[0]), text(lines, '-'), text(lines, '+'));
        }

        private static String text(List<String> lines, char mark) {
            return lines.stream()
                    .skip(1)
                    .filter(line -> line.charAt(0) == mark)
                    .map(line -> line.substring(Math.min(2, line.length())))
                    .collect(Collectors.joining("\n"));
        }

        /** Returns the mutated text of the script. Fails if the script does not have the text, or has it twice. */
        String applied() {
            String source = resource(script);
            int at = source.indexOf(goes);
            assertEquals(at, source.lastIndexOf(goes), "more than once in " + script + ": " + goes);
            assertEquals(goes, source.substring(Math.max(0, at)).substring(0, goes.length()), "not in " + script);
            return source.substring(0, at) + comes + source.substring(at + goes.length());
        }

        @Override
        public String toString() {
            return script + ": " + consequence;
        }
    }

    static Stream<Mutation> mutations() {
        return Stream.of(resource("script-mutations.txt").split("\n\n+"))
                .filter(block -> !block.startsWith("#"))
                .filter(block -> SELECTED.matcher(block.lines().findFirst().orElseThrow())
                        .find())
                .map(Mutation::of);
    }

    private static String resource(String name) {
        try (InputStream file = ScriptMutations.class.getResourceAsStream(name)) {
            return new String(Objects.requireNonNull(file, name).readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @ParameterizedTest
    @MethodSource("mutations")
    void aMutationIsNoticed(Mutation mutation, @TempDir Path mutated) throws IOException {
        requireThatItCompiles(mutation);
        Path scripts = mutated.resolve("io/github/distlock/redis");
        Files.createDirectories(scripts);
        Files.writeString(scripts.resolve(mutation.script), mutation.applied());

        boolean survives = allTestsPass(mutated, OWN_TESTS.getOrDefault(mutation.script, TESTS));

        String outcome = (survives ? "survives: " : "killed: ") + mutation;
        System.out.println(outcome);
        assertEquals(mutation.survives, survives, outcome);
    }

    /** A script that does not compile fails each test, and shows nothing. */
    private static void requireThatItCompiles(Mutation mutation) {
        try (RedisClient admin = RedisClient.create(RedisFixture.Shared.SERVER.uri())) {
            for (Script script : ScriptTextTest.scripts().toList()) {
                String source = withIncludes(script + ".lua", mutation);
                assertEquals(40, admin.scriptLoad(source).length());
            }
        }
    }

    /** Returns the text of a file with the files that it includes, one of which is mutated. */
    private static String withIncludes(String file, Mutation mutation) {
        String text = file.equals(mutation.script) ? mutation.applied() : resource(file);
        return INCLUDE.matcher(text)
                .replaceAll(include -> Matcher.quoteReplacement(withIncludes(include.group(1) + ".lua", mutation)));
    }

    /** The JVM finds the mutated script before that of the class path. */
    private static boolean allTestsPass(Path mutated, List<Class<?>> classes) {
        String[] arguments = Stream.concat(
                        Stream.of(
                                "execute",
                                "--fail-fast",
                                "--details=none",
                                "--disable-banner",
                                "--config=junit.jupiter.execution.parallel.enabled=false"),
                        classes.stream().map(test -> "--select-class=" + test.getName()))
                .toArray(String[]::new);
        List<String> options = List.of("-Xbootclasspath/a:" + mutated);
        try (ChildProgram tests = ChildProgram.start(options, ConsoleLauncher.class, arguments)) {
            return tests.awaitExit(LIMIT) == 0;
        }
    }
}
