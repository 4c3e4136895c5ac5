package io.github.distlock.examples.fencing;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Tokens that go to a service with a request or a message, and the service that checks them. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class ServiceTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient locks = LockClient.create(store.connect());
    private final DistributedLock lock = locks.lock("account/7");
    private final MemoryAccount account = new MemoryAccount();
    private final Queue<Message> queue = new ArrayDeque<>();
    private final HttpClient http = HttpClient.newHttpClient();
    private HttpServer server;

    record Message(Map<String, String> headers, String body) {}

    @BeforeEach
    void serve() throws IOException {
        server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        server.createContext("/accounts/7", this::answer);
        server.start();
    }

    @AfterEach
    void close() {
        server.stop(0);
        locks.close();
    }

    // The service

    private void answer(HttpExchange exchange) throws IOException {
        try (exchange) {
            String token = exchange.getRequestHeaders().getFirst(FencingToken.HTTP_HEADER);
            String body = new String(exchange.getRequestBody().readAllBytes(), UTF_8);
            exchange.sendResponseHeaders(put(token, body), -1);
        }
    }

    private int put(@Nullable String tokenHeader, String balance) {
        if (tokenHeader == null) {
            return 400;
        }
        try {
            account.write(balance, FencingToken.parse(tokenHeader));
            return 204;
        } catch (StaleTokenException e) {
            return 409;
        } catch (IllegalArgumentException e) {
            return 400;
        }
    }

    private void receive(Message message) {
        long token = FencingToken.parse(message.headers().get(FencingToken.MESSAGE_HEADER));
        account.write(message.body(), token);
    }

    // Its clients

    private int put(LockHandle held, String balance) throws IOException, InterruptedException {
        URI uri = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/accounts/7");
        HttpRequest request = HttpRequest.newBuilder(uri)
                .header(FencingToken.HTTP_HEADER, FencingToken.toText(held.fencingToken()))
                .PUT(BodyPublishers.ofString(balance))
                .build();
        return http.send(request, BodyHandlers.discarding()).statusCode();
    }

    private void send(LockHandle held, String balance) {
        String token = FencingToken.toText(held.fencingToken());
        queue.add(new Message(Map.of(FencingToken.MESSAGE_HEADER, token), balance));
    }

    @Test
    void s3_aServiceRefusesALateRequest() throws Exception {
        LockHandle early = lock.acquire();
        store.lose("account/7");
        LockHandle late = lock.acquire();

        assertEquals(204, put(late, "80"));
        assertEquals(204, put(late, "70"));
        assertEquals(409, put(early, "90"));

        assertEquals("70", account.balance());
    }

    @Test
    void api_aServiceRefusesARequestWithoutAValidToken() throws Exception {
        assertEquals(400, put("seven", "90"));
        assertEquals(400, put((String) null, "90"));

        assertEquals("100", account.balance());
    }

    @Test
    void s3_aReceiverRefusesALateMessage() throws Exception {
        LockHandle early = lock.acquire();
        store.lose("account/7");
        LockHandle late = lock.acquire();
        send(late, "80");
        send(early, "90");

        receive(queue.remove());
        assertThrows(StaleTokenException.class, () -> receive(queue.remove()));

        assertEquals("80", account.balance());
    }
}
