package io.github.distlock.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Primary;

/** Two instances of the application on one Redis. */
class OrdersApplicationTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final int SLOW = 42;

    private static RedisServer redis;
    private static Instance first;
    private static Instance second;

    @BeforeAll
    static void start() {
        redis = RedisServer.start();
        first = new Instance();
        second = new Instance();
    }

    @AfterAll
    static void stop() {
        first.context.close();
        second.context.close();
        redis.close();
    }

    @Test
    void twoInstancesNeverShipOneOrderAtTheSameTime() throws Exception {
        CompletableFuture<HttpResponse<String>> shipment = first.send("POST", "/orders/42/shipment");
        SlowCarrier carrier = first.context.getBean(SlowCarrier.class);
        assertThat(carrier.arrived.await(1, TimeUnit.MINUTES)).isTrue();

        HttpResponse<String> busy = second.answer("POST", "/orders/42/shipment");
        HttpResponse<String> other = second.answer("POST", "/orders/43/shipment");
        HttpResponse<String> lock = second.answer("GET", "/actuator/locks?name=orders/42");

        assertThat(busy.statusCode()).isEqualTo(409);
        assertThat(other.statusCode()).isEqualTo(200);
        assertThat(lock.body()).contains("\"client\":\"orders\"", "\"mode\":\"EXCLUSIVE\"");
        carrier.leaves.countDown();
        assertThat(shipment.get(1, TimeUnit.MINUTES).statusCode()).isEqualTo(200);
        assertThat(first.answer("GET", "/actuator/locks?name=orders/42").body()).contains("\"holders\":[]");
    }

    @Test
    void twoInstancesSendOneReportPerTick() {
        Waiting.await("each instance has come to its tick", LIMIT, () -> first.hasTicked() && second.hasTicked());

        int sent = first.context.getBean(Reports.class).sent()
                + second.context.getBean(Reports.class).sent();

        assertThat(sent).isEqualTo(1);
    }

    @Test
    void bothInstancesAreHealthy() {
        for (Instance instance : new Instance[] {first, second}) {
            HttpResponse<String> health = instance.answer("GET", "/actuator/health");

            assertThat(health.statusCode()).isEqualTo(200);
            assertThat(health.body()).contains("\"distlock\":{\"status\":\"UP\"");
        }
    }

    /** A process of the application, as far as Redis is concerned. */
    private static final class Instance {
        private final HttpClient http = HttpClient.newHttpClient();
        private final ConfigurableApplicationContext context = new SpringApplicationBuilder(
                        OrdersApplication.class, SlowCarrier.class)
                .run(
                        "--server.port=0",
                        "--distlock.redis.url=" + redis.uri(),
                        "--orders.report.cron=* * * * * *",
                        "--management.endpoints.web.exposure.include=health,locks,scheduledtasks");

        CompletableFuture<HttpResponse<String>> send(String method, String path) {
            return http.sendAsync(request(method, path), BodyHandlers.ofString());
        }

        HttpResponse<String> answer(String method, String path) {
            try {
                return http.send(request(method, path), BodyHandlers.ofString());
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }

        private HttpRequest request(String method, String path) {
            String port = context.getEnvironment().getProperty("local.server.port");
            return HttpRequest.newBuilder(URI.create("http://localhost:" + port + path))
                    .method(method, BodyPublishers.noBody())
                    .build();
        }

        boolean hasTicked() {
            return answer("GET", "/actuator/scheduledtasks").body().contains("\"status\":\"SUCCESS\"");
        }
    }

    /** Keeps one order until the test lets it leave. */
    @Primary
    static class SlowCarrier extends Carrier {
        private final CountDownLatch arrived = new CountDownLatch(1);
        private final CountDownLatch leaves = new CountDownLatch(1);

        @Override
        void pickUp(int order) throws InterruptedException {
            if (order == SLOW) {
                arrived.countDown();
                assertThat(leaves.await(1, TimeUnit.MINUTES)).isTrue();
            }
        }
    }
}
