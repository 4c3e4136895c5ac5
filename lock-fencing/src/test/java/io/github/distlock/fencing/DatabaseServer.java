package io.github.distlock.fencing;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;

/** A database server in a child process, on the loopback interface. It ends with this JVM. */
record DatabaseServer(ChildProgram program, String url) implements AutoCloseable {
    private static final Duration START = Duration.ofSeconds(60);

    /** Lets other users write to a directory, because servers refuse to run as root. */
    static Path open(Path directory) throws IOException {
        return Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwxrwxrwx"));
    }

    static int freePort() throws IOException {
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

    /** Starts a server, and waits until it answers. */
    static DatabaseServer start(String url, String... command) {
        ChildProgram program = ChildProgram.startCommand(command);
        if (!Waiting.until(START, () -> answers(url) || !program.isAlive()) || !program.isAlive()) {
            try (program) {
                program.awaitLine("no server writes this", Duration.ofSeconds(1));
            }
        }
        return new DatabaseServer(program, url);
    }

    private static boolean answers(String url) {
        try (Connection connection = DriverManager.getConnection(url)) {
            return connection.isValid(1);
        } catch (SQLException e) {
            return false;
        }
    }

    @Override
    public void close() {
        program.close();
    }
}
