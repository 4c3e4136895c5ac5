package io.github.distlock.tests.servers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/**
 * A program of a test in a JVM of its own, on the test's class path: something to kill and to stop, and a second party
 * that shares nothing. Test and program talk in lines: over the program's standard input and output. The system properties
 * {@code lock.…} of this JVM are also the program's.
 *
 * <p>It ends with this JVM at the latest. Not for use by several threads at once, but for {@link #suspend()},
 * {@link #resume()}, {@link #kill()} and {@link #isAlive()}.
 */
public final class JvmProcess implements AutoCloseable {
    private final String name;
    private final Process process;
    private final Path directory;
    private final OutputStream input;
    /** What was written; at the end an empty optional. */
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

    private JvmProcess(String name, Process process, Path directory) {
        this.name = name;
        this.process = process;
        this.directory = directory;
        this.input = process.getOutputStream();
        Thread reader = new Thread(this::readLines, "distlock-tests-" + name + "-" + process.pid());
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts a program.
     *
     * @param main the class with its main method
     * @param arguments for the main method
     * @return the running program
     */
    public static JvmProcess start(Class<?> main, String... arguments) {
        return start(List.of(), main, arguments);
    }

    /**
     * Starts a program.
     *
     * @param jvmOptions such as {@code -Xmx512m}
     * @param main the class with its main method
     * @param arguments for the main method
     * @return the running program
     */
    public static JvmProcess start(List<String> jvmOptions, Class<?> main, String... arguments) {
        Objects.requireNonNull(main, "main");
        List<String> options = new ArrayList<>(ChildJvm.serverProperties());
        options.addAll(jvmOptions);
        List<String> command = ChildJvm.command(options, main.getName(), List.of(arguments));
        Path directory = TemporaryFiles.newDirectory("jvm");
        Process process = ChildProcesses.start(new ProcessBuilder(command)
                .redirectError(Redirect.to(errors(directory).toFile())));
        return new JvmProcess(main.getSimpleName(), process, directory);
    }

    private static Path errors(Path directory) {
        return directory.resolve("errors");
    }

    private void readLines() {
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            for (String line = output.readLine(); line != null; line = output.readLine()) {
                lines.add(Optional.of(line));
            }
        } catch (IOException e) {
            // The pipe was closed, which is its end.
        } finally {
            lines.add(Optional.empty());
        }
    }

    /**
     * The process's number.
     *
     * @return the operating system's id
     */
    public long pid() {
        return process.pid();
    }

    /**
     * Whether it lives; a suspended one does.
     *
     * @return false when it has ended
     */
    public boolean isAlive() {
        return process.isAlive();
    }

    /**
     * Writes a line to the program's standard input.
     *
     * @param line without its end
     */
    public void send(String line) {
        Objects.requireNonNull(line, "line");
        try {
            input.write((line + "\n").getBytes(StandardCharsets.UTF_8));
            input.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(describe("takes no more input"), e);
        }
    }

    /**
     * The next line that the program writes to its standard output.
     *
     * @param limit how long to wait for it
     * @return the line, without its end
     * @throws IllegalStateException when it does not come; with what the program wrote to its standard error
     */
    public String nextLine(Duration limit) {
        return awaitLine("", limit);
    }

    /**
     * The next line that begins like this; those before it are skipped.
     *
     * @param beginning how the line begins
     * @param limit how long to wait for it
     * @return the whole line, without its end
     * @throws IllegalStateException when it does not come; with what the program wrote to its standard error
     */
    public String awaitLine(String beginning, Duration limit) {
        Objects.requireNonNull(beginning, "beginning");
        long begin = System.nanoTime();
        StringBuilder skipped = new StringBuilder();
        while (true) {
            Optional<String> line = take(limit.toNanos() - (System.nanoTime() - begin), beginning, skipped);
            if (line.isEmpty()) {
                lines.add(line);
                throw new IllegalStateException(describe("ended without \"" + beginning + "\"" + skipped));
            }
            if (line.get().startsWith(beginning)) {
                return line.get();
            }
            skipped.append("\n  skipped: ").append(line.get());
        }
    }

    private Optional<String> take(long nanos, String beginning, CharSequence skipped) {
        try {
            Optional<String> line = lines.poll(nanos, TimeUnit.NANOSECONDS);
            if (line == null) {
                throw new IllegalStateException(describe("did not write \"" + beginning + "\" in time" + skipped));
            }
            return line;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(describe("did not write \"" + beginning + "\" before an interrupt"), e);
        }
    }

    /** Stops it where it is (SIGSTOP). */
    public void suspend() {
        ChildProcesses.suspend(process);
    }

    /** Lets it go on (SIGCONT). */
    public void resume() {
        ChildProcesses.resume(process);
    }

    /** Ends it at once (SIGKILL), also a suspended one. Does nothing when it has ended. */
    public void kill() {
        ChildProcesses.kill(process);
    }

    /**
     * Waits until it ends.
     *
     * @param limit how long
     * @return its exit code; that of a killed one is 137
     * @throws IllegalStateException when it still lives
     */
    public int awaitExit(Duration limit) {
        if (!ChildProcesses.awaitEnd(process, limit)) {
            throw new IllegalStateException(describe("still lives"));
        }
        return process.exitValue();
    }

    private String describe(String what) {
        return name + " (process " + pid() + ") " + what + ". Its standard error:\n"
                + TemporaryFiles.tail(errors(directory));
    }

    /** Ends it. Closing twice is nothing. */
    @Override
    public void close() {
        kill();
        TemporaryFiles.delete(directory);
    }
}
