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
 * A program that a test runs in a separate process, which the test can suspend and kill. A program in Java has the
 * test's class path and the system properties {@code lock.…} of this JVM. Test and program exchange lines over the
 * program's standard input and output.
 *
 * <p>The program ends with this JVM at the latest. Only {@link #suspend()}, {@link #resume()}, {@link #kill()} and
 * {@link #isAlive()} are thread-safe.
 */
public final class ChildProgram implements AutoCloseable {
    private final String name;
    private final Process process;
    private final Path directory;
    private final OutputStream input;
    /** The lines that the program has written; an empty optional marks the end of its output. */
    private final BlockingQueue<Optional<String>> lines = new LinkedBlockingQueue<>();

    private ChildProgram(String name, Process process, Path directory) {
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
     * @param main the class that has the main method
     * @param arguments the arguments of the main method
     * @return the running program
     */
    public static ChildProgram start(Class<?> main, String... arguments) {
        return start(List.of(), main, arguments);
    }

    /**
     * Starts a program.
     *
     * @param jvmOptions options of the JVM, such as {@code -Xmx512m}
     * @param main the class that has the main method
     * @param arguments the arguments of the main method
     * @return the running program
     */
    public static ChildProgram start(List<String> jvmOptions, Class<?> main, String... arguments) {
        return start(ChildJvm.classPath(), jvmOptions, main.getName(), arguments);
    }

    /**
     * Starts a program of another build.
     *
     * @param classPath the class path of the program
     * @param jvmOptions options of the JVM, such as {@code -Xmx512m}
     * @param main the name of the class that has the main method
     * @param arguments the arguments of the main method
     * @return the running program
     */
    public static ChildProgram start(String classPath, List<String> jvmOptions, String main, String... arguments) {
        Objects.requireNonNull(classPath, "classPath");
        Objects.requireNonNull(main, "main");
        List<String> options = new ArrayList<>(ChildJvm.serverProperties());
        options.addAll(jvmOptions);
        return started(
                main.substring(main.lastIndexOf('.') + 1),
                ChildJvm.command(classPath, options, main, List.of(arguments)));
    }

    /**
     * Starts a program in another language.
     *
     * @param command the program's path and its arguments
     * @return the running program
     * @throws UncheckedIOException if the program cannot be started
     */
    public static ChildProgram startCommand(String... command) {
        return started(Path.of(command[0]).getFileName().toString(), List.of(command));
    }

    private static ChildProgram started(String name, List<String> command) {
        Path directory = TemporaryFiles.newDirectory("program");
        Process process = ChildProcesses.start(new ProcessBuilder(command)
                .redirectError(Redirect.to(errors(directory).toFile())));
        return new ChildProgram(name, process, directory);
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
            // The pipe was closed: the output has ended.
        } finally {
            lines.add(Optional.empty());
        }
    }

    /** {@return the operating system's number of the process} */
    public long pid() {
        return process.pid();
    }

    /** {@return whether the process has not ended; true for a suspended process} */
    public boolean isAlive() {
        return process.isAlive();
    }

    /**
     * Writes a line to the program's standard input.
     *
     * @param line the line, without a line break
     * @throws UncheckedIOException if the program has ended or has closed its standard input
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
     * Returns the next line that the program writes to its standard output.
     *
     * @param limit the longest time to wait
     * @return the line, without its line break
     * @throws IllegalStateException if the limit passes, the program ends, or this thread is interrupted; the message
     *     contains what the program wrote to its standard error
     */
    public String nextLine(Duration limit) {
        return awaitLine("", limit);
    }

    /**
     * Returns the next line that starts with this text, and skips the lines before it.
     *
     * @param beginning the text
     * @param limit the longest time to wait
     * @return the whole line, without its line break
     * @throws IllegalStateException if the limit passes, the program ends, or this thread is interrupted; the message
     *     contains what the program wrote to its standard error
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

    /** Suspends the program (SIGSTOP). */
    public void suspend() {
        ChildProcesses.suspend(process);
    }

    /** Resumes the program (SIGCONT). */
    public void resume() {
        ChildProcesses.resume(process);
    }

    /** Kills the program (SIGKILL), even if it is suspended. Does nothing if it has ended. */
    public void kill() {
        ChildProcesses.kill(process);
    }

    /**
     * Waits until the program ends.
     *
     * @param limit the longest time to wait
     * @return its exit code, which is 137 after {@link #kill()}
     * @throws IllegalStateException if the program still runs when the limit passes or this thread is interrupted
     */
    public int awaitExit(Duration limit) {
        if (!ChildProcesses.awaitEnd(process, limit)) {
            throw new IllegalStateException(describe("still runs"));
        }
        return process.exitValue();
    }

    private String describe(String what) {
        return name + " (process " + pid() + ") " + what + ". Its standard error:\n"
                + TemporaryFiles.tail(errors(directory));
    }

    /** Kills the program and deletes its files. A second call does nothing. */
    @Override
    public void close() {
        kill();
        TemporaryFiles.delete(directory);
    }
}
