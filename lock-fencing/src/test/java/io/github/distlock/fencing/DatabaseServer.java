package io.github.distlock.fencing;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A database server in a child process, on the loopback interface. It runs during the tests of a class, and ends with
 * this JVM at the latest.
 */
final class DatabaseServer implements BeforeAllCallback, AfterAllCallback {
    private static final Duration START = Duration.ofSeconds(60);

    private final Preparation preparation;
    private Path directory;
    private ChildProgram program;
    private String url;

    /** What starts a server, and where it answers then. */
    record Launch(String url, List<String> command) {}

    /** Prepares a server. */
    interface Preparation {
        /**
         * Creates its files.
         *
         * @param directory where other users may write, because servers refuse to run as root
         * @param port where the server has to listen
         */
        Launch in(Path directory, int port) throws IOException;
    }

    DatabaseServer(Preparation preparation) {
        this.preparation = preparation;
    }

    /** Lets other users write to a directory. */
    static Path open(Path directory) throws IOException {
        return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    /** Runs a program until it writes a line that begins with this text. */
    static void run(String end, String... command) {
        try (ChildProgram program = ChildProgram.startCommand(command)) {
            program.awaitLine(end, START);
            program.awaitExit(START);
        }
    }

    /** Starts the server, and waits until it answers. */
    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        directory = open(Files.createTempDirectory("distlock-database-"));
        Launch launch = preparation.in(directory, freePort());
        url = launch.url();
        program = ChildProgram.startCommand(launch.command().toArray(String[]::new));
        if (!Waiting.until(START, () -> answers() || !program.isAlive()) || !program.isAlive()) {
            program.awaitLine("no server writes this", Duration.ofSeconds(1));
        }
    }

    private boolean answers() {
        try (Connection connection = connect()) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false;
        }
    }

    Connection connect() throws SQLException {
        return DriverManager.getConnection(url);
    }

    @Override
    public void afterAll(ExtensionContext context) {
        if (program != null) {
            program.close();
        }
        if (directory != null) {
            try (Stream<Path> files = Files.walk(directory)) {
                for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(each);
                }
            } catch (IOException | UncheckedIOException e) {
                // A process of the server that is still ending writes to the directory.
            }
        }
    }
}
