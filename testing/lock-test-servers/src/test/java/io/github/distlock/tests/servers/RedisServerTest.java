package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.ConnectException;
import java.net.Socket;
import java.net.SocketTimeoutException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;

@Timeout(60)
@ResourceLock("starts servers and processes")
class RedisServerTest {
    private static final RedisServer SERVER = RedisServer.start("appendonly yes", "appendfsync always");

    @AfterAll
    static void close() {
        SERVER.close();
    }

    @Test
    void api_aStartedServerAnswersAndReportsItsVersion() throws Exception {
        try (RedisConnection client = new RedisConnection(SERVER)) {
            assertEquals("+PONG", client.ask("PING"));
        }
        assertTrue(SERVER.isRunning());
        assertTrue(SERVER.version().matches("\\d+\\.\\d+\\..*"), SERVER.version());
    }

    @Test
    void api_aPausedServerKeepsItsConnectionsAndAnswersNothing() throws Exception {
        try (RedisConnection client = new RedisConnection(SERVER)) {
            client.ask("SET paused before");
            SERVER.pause();
            assertTrue(SERVER.isRunning());
            client.replyWithin(100);
            assertThrows(SocketTimeoutException.class, () -> client.ask("SET paused after"));
            SERVER.resume();
            client.replyWithin(10_000);
            assertEquals("+OK", client.reply());
        }
    }

    @Test
    void api_aKilledServerRestartsWithOrWithoutItsData() throws Exception {
        int port = SERVER.port();
        try (RedisConnection client = new RedisConnection(SERVER)) {
            assertEquals("+OK", client.ask("SET kept value"));
        }
        SERVER.kill();
        assertFalse(SERVER.isRunning());
        assertThrows(ConnectException.class, () -> new Socket(SERVER.host(), SERVER.port()).close());

        SERVER.restart(true);
        assertEquals(port, SERVER.port());
        assertEquals("$5", asked("GET kept"));

        SERVER.restart(false);
        assertEquals(port, SERVER.port());
        assertEquals("$-1", asked("GET kept"));
    }

    @Test
    void api_aPausedServerCanBeKilled() throws Exception {
        SERVER.pause();
        SERVER.kill();
        assertFalse(SERVER.isRunning());
        SERVER.restart(true);
        assertEquals("+PONG", asked("PING"));
    }

    @Test
    void api_aServerThatStoresNothingCannotRestartWithItsData() {
        try (RedisServer server = RedisServer.start()) {
            assertThrows(IllegalStateException.class, () -> server.restart(true));
        }
    }

    @Test
    void api_aServerWithAPasswordStarts() throws Exception {
        try (RedisServer server = RedisServer.start("requirepass secret");
                RedisConnection client = new RedisConnection(server)) {
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
        try (RedisConnection client = new RedisConnection(SERVER)) {
            return client.ask(command);
        }
    }
}
