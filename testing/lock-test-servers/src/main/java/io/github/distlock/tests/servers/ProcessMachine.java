package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.ProcessBuilder.Redirect;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A server in a child process on the loopback interface, with a temporary directory for its configuration and data. */
final class ProcessMachine implements Machine {
    private static final Duration ORDERLY_END = Duration.ofSeconds(10);

    private final int port;
    private final Path directory;
    private final List<String> command;
    private final Map<String, String> dataFiles;
    private volatile @Nullable Process process;

    /**
     * Prepares the directory of data.
     *
     * @param directory the temporary directory, which {@link #close()} deletes
     * @param dataFiles the content of each file, by name, that the server's empty data directory contains
     */
    ProcessMachine(int port, Path directory, List<String> command, Map<String, String> dataFiles) {
        this.port = port;
        this.directory = directory;
        this.command = List.copyOf(command);
        this.dataFiles = Map.copyOf(dataFiles);
        writeDataFiles();
    }

    /** Returns the directory of the server's data within its temporary directory. */
    static Path data(Path directory) {
        return directory.resolve("data");
    }

    private void writeDataFiles() {
        try {
            Files.createDirectories(data(directory));
            for (Map.Entry<String, String> file : dataFiles.entrySet()) {
                Files.writeString(data(directory).resolve(file.getKey()), file.getValue());
            }
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the server's files", e);
        }
    }

    @Override
    public String host() {
        return Ports.LOOPBACK;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void start() {
        process = ChildProcesses.start(new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(Redirect.appendTo(log().toFile())));
    }

    private Path log() {
        return directory.resolve("output");
    }

    @Override
    public boolean isRunning() {
        return process != null && process.isAlive();
    }

    @Override
    public void pause() {
        ChildProcesses.suspend(started());
    }

    @Override
    public void resume() {
        ChildProcesses.resume(started());
    }

    @Override
    public void stop() {
        Process running = started();
        running.destroy();
        if (!ChildProcesses.awaitEnd(running, ORDERLY_END)) {
            ChildProcesses.kill(running);
        }
    }

    @Override
    public void kill() {
        if (process != null) {
            ChildProcesses.kill(process);
        }
    }

    private Process started() {
        if (process == null) {
            throw new IllegalStateException("not started: " + command);
        }
        return process;
    }

    @Override
    public void eraseData() {
        TemporaryFiles.delete(data(directory));
        writeDataFiles();
    }

    @Override
    public String output() {
        Process started = process;
        String ending = started == null || started.isAlive() ? "" : "(exit code " + started.exitValue() + ")\n";
        return TemporaryFiles.tail(log()) + ending;
    }

    @Override
    public void close() {
        kill();
        TemporaryFiles.delete(directory);
    }
}
