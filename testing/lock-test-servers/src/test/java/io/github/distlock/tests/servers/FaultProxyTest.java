package io.github.distlock.tests.servers;

import static io.github.distlock.tests.servers.FaultProxy.containing;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.waiting.Waiting;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class FaultProxyTest {
    private static final Duration LIMIT = Duration.ofSeconds(10);
    private static final Duration DELAY = Duration.ofMillis(500);
    /** Longer than what this machine may take to look whether the delayed request has arrived. */
    private static final Duration LONG_DELAY = Duration.ofSeconds(2);

    private static final int SHORT_MILLIS = 100;

    private static RedisServer server;

    private final FaultProxy proxy = FaultProxy.to(server);
    private RedisConnection client;
    private RedisConnection direct;

    @BeforeAll
    static void startServer() {
        server = RedisServer.start();
    }

    @BeforeEach
    void connect() throws IOException {
        client = new RedisConnection(proxy.host(), proxy.port());
        direct = new RedisConnection(server);
        direct.ask("FLUSHALL");
    }

    @AfterEach
    void close() throws IOException {
        client.close();
        direct.close();
        proxy.close();
    }

    @AfterAll
    static void closeServer() {
        server.close();
    }

    private RedisConnection newClient() throws IOException {
        return new RedisConnection(proxy.host(), proxy.port());
    }

    private void assertSilent(RedisConnection connection) throws IOException {
        connection.replyWithin(SHORT_MILLIS);
        assertThrows(SocketTimeoutException.class, connection::reply);
        connection.replyWithin(10_000);
    }

    private void assertNotExecuted(String key) throws IOException {
        assertEquals(":0", direct.ask("EXISTS " + key));
    }

    private void awaitExecuted(String key) {
        assertTrue(Waiting.until(LIMIT, () -> {
            try {
                return direct.ask("EXISTS " + key).equals(":1");
            } catch (IOException e) {
                throw new IllegalStateException(e);
            }
        }));
    }

    @Test
    void api_withoutAFaultTheProxyForwardsAndCountsEverything() throws Exception {
        assertEquals("+PONG", client.ask("PING"));
        assertEquals("+PONG", client.ask("PING"));
        assertEquals(2, proxy.requests());
        assertEquals(2, proxy.replies());
        assertEquals(1, proxy.connections());
        assertEquals(1, proxy.openConnections());
        client.close();
        assertTrue(Waiting.until(LIMIT, () -> proxy.openConnections() == 0));
    }

    @Test
    void api_aConnectionEndsWhenTheServerClosesIt() throws Exception {
        assertEquals("+OK", client.ask("QUIT"));
        assertThrows(EOFException.class, client::reply);
        assertTrue(Waiting.until(LIMIT, () -> proxy.openConnections() == 0));
    }

    @Test
    void api_silenceDropsEverythingAndHealingCutsTheAffectedConnections() throws Exception {
        assertEquals("+PONG", client.ask("PING"));
        RedisConnection untouched = newClient();
        assertEquals("+PONG", untouched.ask("PING"));
        proxy.silence();
        client.send("SET a 1");
        RedisConnection late = newClient();
        late.send("SET b 1");
        assertSilent(client);
        assertSilent(late);
        assertNotExecuted("a");
        assertNotExecuted("b");

        proxy.heal();
        assertThrows(IOException.class, client::reply);
        assertThrows(IOException.class, late::reply);
        assertEquals("+PONG", untouched.ask("PING"));
        assertEquals("+PONG", newClient().ask("PING"));
        assertNotExecuted("a");
    }

    @Test
    void api_silenceAlsoDropsTheEndOfAConnection() throws Exception {
        assertEquals("+OK", client.ask("CLIENT SETNAME victim"));
        proxy.silence();
        client.close();
        assertFalse(Waiting.until(Duration.ofMillis(SHORT_MILLIS), () -> !isConnected("victim")));
        proxy.heal();
        assertTrue(Waiting.until(LIMIT, () -> !isConnected("victim")));
    }

    private boolean isConnected(String name) {
        try (RedisConnection observer = new RedisConnection(server)) {
            int length = Integer.parseInt(observer.ask("CLIENT LIST").substring(1));
            StringBuilder list = new StringBuilder();
            while (list.length() < length) {
                list.append(observer.reply()).append('\n');
            }
            return list.toString().contains("name=" + name);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void api_silencedRequestsDoNotArriveButPushMessagesDo() throws Exception {
        client.ask("SUBSCRIBE news");
        client.reply();
        skip(client, 4);
        proxy.silenceRequests();
        client.send("SUBSCRIBE other");
        assertSilent(client);
        assertEquals(":1", direct.ask("PUBLISH news x"));
        assertEquals("*3", client.reply());
    }

    private static void skip(RedisConnection connection, int lines) throws IOException {
        for (int i = 0; i < lines; i++) {
            connection.reply();
        }
    }

    @Test
    void api_theServerExecutesRequestsWhoseRepliesAreSilenced() throws Exception {
        proxy.silenceReplies();
        client.send("SET a 1");
        awaitExecuted("a");
        client.send("SET b 1");
        awaitExecuted("b");
        assertSilent(client);
        proxy.heal();
        assertThrows(IOException.class, client::reply);
    }

    @Test
    void api_aDroppedRequestIsNeverExecuted() throws Exception {
        Fault fault = proxy.dropNextRequest();
        assertFalse(fault.hasStruck());
        client.send("SET a 1");
        fault.awaitStrike(LIMIT);
        client.send("SET b 1");
        assertSilent(client);
        assertEquals("+OK", newClient().ask("SET c 1"));
        assertNotExecuted("a");
        assertNotExecuted("b");
    }

    @Test
    void api_theServerExecutesTheRequestOfADroppedReply() throws Exception {
        Fault fault = proxy.dropNextReply();
        client.send("SET a 1");
        fault.awaitStrike(LIMIT);
        assertEquals(":1", direct.ask("EXISTS a"));
        assertSilent(client);
        client.send("SET b 1");
        assertSilent(client);
        assertNotExecuted("b");
        assertEquals("+OK", newClient().ask("SET c 1"));
    }

    @Test
    void api_aDroppedReplyCanCutItsConnection() throws Exception {
        Fault fault = proxy.dropNextReply(request -> true, FaultProxy.Then.CUT);
        client.send("SET a 1");
        assertThrows(IOException.class, client::reply);
        assertTrue(fault.hasStruck());
        assertEquals(":1", direct.ask("EXISTS a"));
    }

    @Test
    void api_faultsStrikeOnlyRequestsThatMatch() throws Exception {
        Fault fault = proxy.dropNextReply(containing("SET b"), FaultProxy.Then.CUT);
        assertEquals("+OK", client.ask("SET a 1"));
        RedisConnection other = newClient();
        other.send("SET b 1");
        assertThrows(IOException.class, other::reply);
        assertTrue(fault.hasStruck());
        assertEquals("+OK", client.ask("SET b 2"));
    }

    @Test
    void api_faultsStrikeOnceInTheOrderOfTheCalls() throws Exception {
        Fault first = proxy.dropNextRequest(containing("SET a"), FaultProxy.Then.CUT);
        Fault second = proxy.dropNextRequest(containing("SET a"), FaultProxy.Then.CUT);
        client.send("SET a 1");
        assertThrows(IOException.class, client::reply);
        assertTrue(first.hasStruck());
        assertFalse(second.hasStruck());
        RedisConnection other = newClient();
        other.send("SET a 1");
        assertThrows(IOException.class, other::reply);
        assertTrue(second.hasStruck());
        assertEquals("+OK", newClient().ask("SET a 1"));
    }

    @Test
    void api_healingCancelsFaultsThatHaveNotStruck() throws Exception {
        Fault fault = proxy.dropNextRequest();
        proxy.heal();
        assertEquals("+PONG", client.ask("PING"));
        assertFalse(fault.hasStruck());
        assertThrows(IllegalStateException.class, () -> fault.awaitStrike(Duration.ofMillis(1)));
    }

    @Test
    void api_afterADroppedPushTheProxyForwardsLaterMessages() throws Exception {
        client.ask("SUBSCRIBE news");
        skip(client, 5);
        Fault fault = proxy.dropNextPush(containing("first"));
        assertEquals(":1", direct.ask("PUBLISH news first"));
        fault.awaitStrike(LIMIT);
        assertEquals(":1", direct.ask("PUBLISH news second"));
        skip(client, 6);
        assertEquals("second", client.reply());
    }

    @Test
    void api_delayedRepliesArriveLate() throws Exception {
        proxy.delayReplies(DELAY);
        assertLate();
        proxy.heal();
        Fault fault = proxy.delayNextReply(containing("PING"), DELAY);
        assertLate();
        fault.awaitStrike(LIMIT);
        assertEquals("+PONG", client.ask("PING"));
    }

    private void assertLate() throws IOException {
        long begin = System.nanoTime();
        assertEquals("+PONG", client.ask("PING"));
        assertTrue(System.nanoTime() - begin >= DELAY.toNanos());
    }

    @Test
    void api_aDelayedRequestArrivesEvenIfItsClientHasClosedTheConnection() throws Exception {
        Fault fault = proxy.delayNextRequest(containing("SET a"), LONG_DELAY);
        client.send("SET a 1");
        client.close();
        assertNotExecuted("a");
        fault.awaitStrike(LIMIT);
        awaitExecuted("a");
    }

    @Test
    void api_cutEndsConnectionsAndAcceptsNewOnes() throws Exception {
        assertEquals("+PONG", client.ask("PING"));
        proxy.cut();
        assertThrows(EOFException.class, client::reply);
        assertEquals("+PONG", newClient().ask("PING"));
    }

    @Test
    void api_resetEndsConnectionsWithAReset() throws Exception {
        assertEquals("+PONG", client.ask("PING"));
        proxy.reset();
        assertThrows(SocketException.class, client::reply);
        assertEquals("+PONG", newClient().ask("PING"));
    }

    @Test
    void api_refuseRefusesNewConnectionsUntilHealed() throws Exception {
        assertEquals("+PONG", client.ask("PING"));
        proxy.refuse();
        assertThrows(ConnectException.class, this::newClient);
        assertEquals("+PONG", client.ask("PING"));
        proxy.heal();
        assertEquals("+PONG", newClient().ask("PING"));
    }

    @Test
    void api_theProxyResetsConnectionsIfTheServerIsDown() throws Exception {
        try (FaultProxy withoutServer = FaultProxy.to("localhost", Ports.free());
                RedisConnection connection = new RedisConnection(withoutServer.host(), withoutServer.port())) {
            assertThrows(IOException.class, () -> connection.ask("PING"));
        }
    }

    @Test
    void api_closeCutsConnectionsAndRefusesNewOnes() throws Exception {
        assertEquals("+PONG", client.ask("PING"));
        proxy.close();
        proxy.close();
        assertThrows(EOFException.class, client::reply);
        assertThrows(ConnectException.class, this::newClient);
        proxy.heal();
        assertThrows(ConnectException.class, this::newClient);
    }

    @Test
    void api_theProxyListensAgainWhileThisJvmStartsProcesses() throws Exception {
        AtomicBoolean ended = new AtomicBoolean();
        Thread starter = FaultProxy.daemon("starter", () -> startProcesses(ended));

        for (int i = 0; i < 300; i++) {
            proxy.refuse();
            proxy.heal();
        }

        ended.set(true);
        starter.join();
        try (RedisConnection again = new RedisConnection(proxy.host(), proxy.port())) {
            assertEquals("+PONG", again.ask("PING"));
        }
    }

    private static void startProcesses(AtomicBoolean ended) {
        while (!ended.get()) {
            try {
                var unused = new ProcessBuilder("true").start().waitFor();
            } catch (IOException | InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }
}
