package io.github.distlock;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.LockBackend;
import java.io.File;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.spi.ToolProvider;
import jdk.jfr.consumer.RecordingFile;
import org.jspecify.annotations.NullMarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.Logger;

/** A program with a module of its own compiles and runs against the library on the module path. */
class ModulePathTest {
    private static final String MODULE = "module app { requires io.github.distlock; }";
    private static final String PROGRAM = """
            package app;

            import io.github.distlock.LockClient;
            import io.github.distlock.LockHandle;
            import io.github.distlock.memory.InMemoryStore;

            public class Main {
                public static void main(String[] args) throws Exception {
                    try (LockClient locks = LockClient.create(new InMemoryStore().connect());
                            LockHandle held = locks.lock("orders/42").acquire()) {
                        System.out.println(held.state() + " in " + LockClient.class.getModule().getName());
                        System.out.println("jdk.jfr: " + ModuleLayer.boot().findModule("jdk.jfr").isPresent());
                    }
                }
            }
            """;

    @TempDir
    private Path folder;

    @Test
    void aModularProgramLocksWithoutFlightRecorder() throws Exception {
        compile();

        assertThat(run("--limit-modules", "app")).contains("HELD in io.github.distlock", "jdk.jfr: false");
    }

    @Test
    void aModularProgramRecordsItsHolds() throws Exception {
        compile();
        Path recording = folder.resolve("recording.jfr");

        String printed = run("-XX:StartFlightRecording:filename=" + recording + ",+distlock.Hold#threshold=0ms");

        assertThat(printed).contains("HELD in io.github.distlock", "jdk.jfr: true");
        assertThat(RecordingFile.readAllEvents(recording))
                .filteredOn(event -> event.getEventType().getName().equals("distlock.Hold"))
                .extracting(event -> event.getString("lock"))
                .containsExactly("orders/42");
    }

    private static String modulePath() throws URISyntaxException {
        return String.join(
                File.pathSeparator, List.of(home(LockBackend.class), home(Logger.class), home(NullMarked.class)));
    }

    private void compile() throws Exception {
        Path sources = Files.createDirectories(folder.resolve("src/app"));
        Files.writeString(folder.resolve("src/module-info.java"), MODULE);
        Files.writeString(sources.resolve("Main.java"), PROGRAM);
        int compiled = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(
                        System.out,
                        System.err,
                        "--release",
                        "17",
                        "-proc:none",
                        "--module-path",
                        modulePath(),
                        "-d",
                        folder.resolve("app").toString(),
                        folder.resolve("src/module-info.java").toString(),
                        sources.resolve("Main.java").toString());
        assertThat(compiled).isZero();
    }

    private String run(String... options) throws Exception {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of(options));
        command.addAll(List.of(
                "--module-path",
                modulePath() + File.pathSeparator + folder.resolve("app"),
                "--module",
                "app/app.Main"));
        Path output = folder.resolve("output");
        Process program = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(output.toFile())
                .start();
        assertThat(program.waitFor(60, TimeUnit.SECONDS)).isTrue();
        String printed = Files.readString(output, StandardCharsets.UTF_8);
        assertThat(program.exitValue()).as(printed).isZero();
        return printed;
    }

    private static String home(Class<?> type) throws URISyntaxException {
        return Path.of(type.getProtectionDomain().getCodeSource().getLocation().toURI())
                .toString();
    }
}
