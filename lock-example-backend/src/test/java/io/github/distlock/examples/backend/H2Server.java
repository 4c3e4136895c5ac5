package io.github.distlock.examples.backend;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.Server;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLSyntaxErrorException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import org.h2.engine.Constants;
import org.h2.tools.DeleteDbFiles;

/** An H2 server in a child process. It ends with this JVM. */
final class H2Server implements Server {
    private static final Duration START = Duration.ofSeconds(30);
    private static final int LOWEST = 10_000;
    private static final int BEYOND = 32_000;
    private static final int TRIES = 10;

    private final Path directory;
    private int port;
    private ChildProgram process;

    private H2Server() {
        try {
            directory = Files.createTempDirectory("distlock-h2");
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        process = launchAtFreePort();
    }

    /**
     * Starts a server at a port outside the range from which operating systems take the local ports of outgoing
     * connections. One of these would take the port while the server is down, and prevent its restart.
     */
    private ChildProgram launchAtFreePort() {
        for (int left = TRIES; ; left--) {
            port = ThreadLocalRandom.current().nextInt(LOWEST, BEYOND);
            ChildProgram launched = launch(port);
            try {
                awaitReady(launched);
                return launched;
            } catch (IllegalStateException e) {
                launched.close();
                if (left == 0) {
                    throw e;
                }
            }
        }
    }

    /** Starts a server and waits for its first answer, so that no test waits for the creation of the database. */
    static H2Server start() {
        H2Server server = new H2Server();
        try {
            server.ask("SELECT 1");
            return server;
        } catch (SQLException e) {
            throw new IllegalStateException("H2 has started but does not answer", e);
        }
    }

    private static void awaitReady(ChildProgram launched) {
        var unused = launched.awaitLine("TCP server running at ", START);
    }

    private ChildProgram launch(int atPort) {
        return ChildProgram.start(
                List.of("-Dh2.bindAddress=" + host()),
                org.h2.tools.Server.class,
                "-tcp",
                "-tcpPort",
                String.valueOf(atPort),
                "-ifNotExists",
                "-baseDir",
                directory.toString());
    }

    /** Returns the URL of the server's only database. */
    static String url(String address) {
        return "jdbc:h2:tcp://" + address + "/./locks;DB_CLOSE_DELAY=-1;WRITE_DELAY=0";
    }

    /** Executes a statement as an operator, and returns the first column of each row. */
    List<String> ask(String statement, Object... parameters) throws SQLException {
        List<String> answers = new ArrayList<>();
        try (Connection operator = DriverManager.getConnection(url(address()));
                PreparedStatement request = operator.prepareStatement(statement)) {
            for (int i = 0; i < parameters.length; i++) {
                request.setObject(i + 1, parameters[i]);
            }
            if (request.execute()) {
                try (ResultSet rows = request.getResultSet()) {
                    while (rows.next()) {
                        answers.add(rows.getString(1));
                    }
                }
            }
        } catch (SQLSyntaxErrorException e) {
            // No client has created the table yet.
        }
        return answers;
    }

    @Override
    public String host() {
        return "127.0.0.1";
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public String version() {
        return Constants.VERSION;
    }

    @Override
    public boolean isRunning() {
        return process.isAlive();
    }

    @Override
    public String output() {
        return "";
    }

    @Override
    public void pause() {
        process.suspend();
    }

    @Override
    public void resume() {
        process.resume();
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public void restart(boolean withData) {
        process.close();
        if (!withData) {
            DeleteDbFiles.execute(directory.toString(), null, true);
        }
        process = launch(port);
        awaitReady(process);
    }

    @Override
    public void close() {
        process.close();
        DeleteDbFiles.execute(directory.toString(), null, true);
        directory.toFile().delete();
    }
}
