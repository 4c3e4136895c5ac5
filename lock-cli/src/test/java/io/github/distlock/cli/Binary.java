package io.github.distlock.cli;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.waiting.Waiting;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;

/** The executable jar, as a process, or the directory with a runtime of its own, if it was built. */
final class Binary implements AutoCloseable {
    /** Far longer than a JVM takes to start on a busy machine. */
    static final Duration LONG = Duration.ofSeconds(60);

    private static final List<String> USES_A_STORE = List.of("run", "who", "list", "release", "top", "doctor", "bench");

    private final ChildProgram program;
    private final Path errors;

    private Binary(ChildProgram program, Path errors) {
        this.program = program;
        this.errors = errors;
    }

    /** Starts it with an address in the environment. */
    static Binary start(String url, String... arguments) {
        return start(List.of("DISTLOCK_URL=" + url), arguments);
    }

    /**
     * Starts it, with more time for requests than by default, since a JVM starts slowly on a busy machine.
     *
     * @param environment variables, or other arguments for {@code env}, and perhaps a program that starts the rest
     */
    static Binary start(List<String> environment, String... arguments) {
        return start(environment, command(), arguments);
    }

    /** Starts it with a fault: as soon as a line is sent to it, its thread is interrupted. Otherwise the same. */
    static Binary startInterrupted(List<String> environment, String... arguments) {
        return startFaulty(InterruptedRun.class, environment, arguments);
    }

    /** Starts it with a fault: Java starts the command, and then fails. Otherwise the same. */
    static Binary startUnwatched(List<String> environment, String... arguments) {
        return startFaulty(UnwatchedRun.class, environment, arguments);
    }

    private static Binary startFaulty(Class<?> fault, List<String> environment, String... arguments) {
        String classPath =
                jar() + File.pathSeparator + Path.of("target", "test-classes").toAbsolutePath();
        List<String> program = java("--add-opens=java.base/java.lang=ALL-UNNAMED", "-cp", classPath, fault.getName());
        return start(environment, program, arguments);
    }

    private static Binary start(List<String> environment, List<String> program, String... arguments) {
        try {
            Path errors = Files.createTempFile("distlock-cli-", ".errors");
            List<String> command =
                    new ArrayList<>(List.of("/bin/sh", "-c", "exec 2>\"$0\" env \"$@\"", errors.toString()));
            command.addAll(List.of("-u", "DISTLOCK_URL", "-u", "DISTLOCK_URL_FILE"));
            command.addAll(environment);
            command.addAll(program);
            command.addAll(List.of(arguments));
            if (USES_A_STORE.contains(arguments[0])) {
                command.addAll(command.indexOf(arguments[0]) + 1, List.of("--timeout", "30s"));
            }
            return new Binary(ChildProgram.startCommand(command.toArray(String[]::new)), errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /**
     * Starts it on a terminal of 5 lines with 60 columns. Nothing is between the two: a shell would end at an interrupt
     * from the keyboard, and whether one stays depends on which is the user's.
     */
    static ChildProgram startOnTerminal(String... arguments) {
        List<String> command = new ArrayList<>(command());
        command.addAll(List.of(arguments));
        String line = "stty rows 5 cols 60; exec "
                + String.join(" ", command.stream().map(Binary::quoted).toList());
        return ChildProgram.startCommand("script", "-qec", line, "/dev/null");
    }

    private static String quoted(String word) {
        return "'" + word.replace("'", "'\\''") + "'";
    }

    /**
     * Returns the command line without arguments. It undoes what the build may have inherited: a shell ignores INT in
     * what it runs in the background, and nohup ignores HUP.
     */
    private static List<String> command() {
        List<String> command = new ArrayList<>(List.of("/usr/bin/env", "--default-signal"));
        String image = System.getProperty("lock.cli.image");
        if (image != null) {
            command.add(Path.of(image, "bin", "distlock").toString());
            return command;
        }
        command.addAll(java("-XX:SharedArchiveFile=" + Archive.of(jar()), "-jar", jar()));
        return command;
    }

    private static String jar() {
        String jar = System.getProperty("lock.cli.jar");
        if (jar == null || !Files.exists(Path.of(jar))) {
            throw new IllegalStateException("these tests need the executable jar: run them with mvn verify");
        }
        return jar;
    }

    private static List<String> java(String... arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(List.of("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"));
        command.addAll(List.of(arguments));
        return command;
    }

    /** The classes as a JVM leaves them behind for others, which saves each of them a fifth of its CPU time. */
    private static final class Archive {
        private static final ConcurrentHashMap<String, Path> ALL = new ConcurrentHashMap<>();

        static Path of(String jar) {
            return ALL.computeIfAbsent(jar, Archive::make);
        }

        /** Any run loads most of the classes. This one finds no server. */
        private static Path make(String jar) {
            Path archive = Path.of(jar).resolveSibling("tests.jsa");
            List<String> command = java("-XX:ArchiveClassesAtExit=" + archive, "-jar", jar);
            command.addAll(List.of("run", "-n", "--url", "redis://127.0.0.1:1", "training", "--", "true"));
            delete(archive);
            try (ChildProgram training = ChildProgram.startCommand(command.toArray(String[]::new))) {
                int code = training.awaitExit(LONG);
                if (code != ExitCode.UNAVAILABLE || !Files.exists(archive)) {
                    throw new IllegalStateException("the training run has ended with " + code + ", and " + archive
                            + (Files.exists(archive) ? " exists" : " is missing"));
                }
            }
            return archive;
        }
    }

    private static void delete(Path file) {
        try {
            Files.deleteIfExists(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    long pid() {
        return program.pid();
    }

    void send(String line) {
        program.send(line);
    }

    /** Sends a signal to this process alone. */
    void signal(String name) {
        signal(name, pid());
    }

    static void signal(String name, long pid) {
        try {
            new ProcessBuilder("sh", "-c", "kill -s " + name + " " + pid)
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns the next line of the output. */
    String line() {
        return program.nextLine(LONG);
    }

    String line(String beginning) {
        return program.awaitLine(beginning, LONG);
    }

    /** Waits for the end, and returns the exit code. */
    int code() {
        return program.awaitExit(LONG);
    }

    /** Returns all messages until now. */
    String errors() {
        try {
            return Files.readString(errors);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Waits until a message has this text. */
    void awaitError(String text) {
        Waiting.await(text, LONG, () -> errors().contains(text));
    }

    /** Returns the processes of the group of a command, without those that have ended. */
    static List<Long> group(long leader) {
        try (Stream<Path> all = Files.list(Path.of("/proc"))) {
            return all.map(each -> each.getFileName().toString())
                    .filter(name -> name.matches("[0-9]+"))
                    .map(Long::valueOf)
                    .filter(pid -> isIn(leader, pid))
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static boolean isIn(long leader, long pid) {
        try {
            String stat = Files.readString(Path.of("/proc/" + pid + "/stat"));
            String[] fields = stat.substring(stat.lastIndexOf(')') + 2).split(" ", -1);
            return !fields[0].equals("Z") && fields[2].equals(String.valueOf(leader));
        } catch (IOException e) {
            return false; // it has ended
        }
    }

    @Override
    public void close() {
        program.close();
        delete(errors);
    }
}
