package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(60)
@Tag("servers")
@ResourceLock("starts servers and processes")
class RedisServerTest {
    private static RedisServer server;

    @BeforeAll
    static void start() {
        server = RedisServer.start("appendonly yes", "appendfsync always");
    }

    @AfterAll
    static void close() {
        server.close();
    }

    @Test
    void api_aStartedServerAnswersAndReportsItsVersion() throws Exception {
        try (RedisConnection client = new RedisConnection(server)) {
            assertEquals("+PONG", client.ask("PING"));
        }
        assertTrue(server.isRunning());
        assertTrue(server.version().matches("\\d+\\.\\d+\\..*"), server.version());
    }

    @Test
    void api_aPausedServerKeepsItsConnectionsAndAnswersNothing() throws Exception {
        try (RedisConnection client = new RedisConnection(server)) {
            client.ask("SET paused before");
            server.pause();
            assertTrue(server.isRunning());
            client.replyWithin(100);
            assertThrows(SocketTimeoutException.class, () -> client.ask("SET paused after"));
            server.resume();
            client.replyWithin(10_000);
            assertEquals("+OK", client.reply());
        }
    }

    @Test
    void api_aKilledServerRestartsWithOrWithoutItsData() throws Exception {
        int port = server.port();
        try (RedisConnection client = new RedisConnection(server)) {
            assertEquals("+OK", client.ask("SET kept value"));
        }
        server.kill();
        assertFalse(server.isRunning());
        assertThrows(ConnectException.class, () -> new Socket(server.host(), server.port()).close());

        server.restart(true);
        assertEquals(port, server.port());
        assertEquals("$5", asked("GET kept"));

        server.restart(false);
        assertEquals(port, server.port());
        assertEquals("$-1", asked("GET kept"));
    }

    @Test
    void api_aPausedServerCanBeKilled() throws Exception {
        server.pause();
        server.kill();
        assertFalse(server.isRunning());
        server.restart(true);
        assertEquals("+PONG", asked("PING"));
    }

    @Test
    void api_aServerThatStoresNothingCannotRestartWithItsData() {
        try (RedisServer another = RedisServer.start()) {
            assertThrows(IllegalStateException.class, () -> another.restart(true));
        }
    }

    @Test
    void api_aServerWithAPasswordStarts() throws Exception {
        try (RedisServer another = RedisServer.start("requirepass secret");
                RedisConnection client = new RedisConnection(another)) {
            assertTrue(client.ask("GET a").startsWith("-NOAUTH"));
            assertEquals("+OK", client.ask("AUTH secret"));
        }
    }

    @Test
    void api_aFailureToStartShowsTheServersOutput() {
        IllegalStateException failure =
                assertThrows(IllegalStateException.class, () -> RedisServer.start("no-such-setting 1"));
        assertTrue(failure.getMessage().contains("no-such-setting"), failure.getMessage());
    }

    private static String asked(String command) throws Exception {
        try (RedisConnection client = new RedisConnection(server)) {
            return client.ask(command);
        }
    }
}
