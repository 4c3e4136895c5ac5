package io.github.distlock.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.fencing.FencingGuard;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.tests.waiting.Waiting;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Primary;

/** Writers of labels, over HTTP. The application takes no locks here. */
class FencedRequestsTest {
    private static final String SLOW = "slow";

    private static final HttpClient HTTP = HttpClient.newHttpClient();
    private static ConfigurableApplicationContext application;

    @BeforeAll
    static void start() {
        application = start(OrdersApplication.class, SlowPrinter.class);
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    private static ConfigurableApplicationContext start(Class<?>... sources) {
        return start("10s", sources);
    }

    private static ConfigurableApplicationContext start(String longestWait, Class<?>... sources) {
        return new SpringApplicationBuilder(sources)
                .run("--server.port=0", "--distlock.enabled=false", "--labels.longest-wait=" + longestWait);
    }

    @Test
    void theLateWriteOfAnEarlierHolderIsRejected() throws Exception {
        assertThat(write("7", "34", "of the later holder")).isEqualTo(200);

        assertThat(write("7", "33", "too late")).isEqualTo(409);

        assertThat(label("7")).contains("of the later holder");
    }

    @Test
    void aHolderMayWriteAgainAndALaterOneAfterIt() throws Exception {
        assertThat(write("8", FencingToken.toText(33), "first")).isEqualTo(200);
        assertThat(write("8", "33", "second")).isEqualTo(200);
        assertThat(write("8", FencingToken.toText(34), "third")).isEqualTo(200);

        assertThat(label("8")).contains("third");
    }

    @Test
    void eachLabelHasItsOwnTokens() throws Exception {
        assertThat(write("9", "34", "one")).isEqualTo(200);

        assertThat(write("10", "33", "another")).isEqualTo(200);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "-1", "0", "12x", "9223372036854775808"})
    void aMalformedTokenIsRejected(String token) throws Exception {
        assertThat(write("11", token, "unfenced")).isEqualTo(400);

        assertThat(label("11")).isEmpty();
    }

    @Test
    void aWriteWithoutATokenIsRejected() throws Exception {
        HttpRequest request = request(application, "12")
                .PUT(BodyPublishers.ofString("unfenced"))
                .build();

        assertThat(HTTP.send(request, BodyHandlers.discarding()).statusCode()).isEqualTo(400);
        assertThat(label("12")).isEmpty();
    }

    /** Otherwise the first one would write after the second one. */
    @Test
    void aWriteThatPassedItsCheckEndsBeforeTheNextOneBegins() throws Exception {
        SlowPrinter printer = application.getBean(SlowPrinter.class);
        CompletableFuture<Integer> first = send(application, "13", "33", SLOW);
        assertThat(printer.arrived.await(1, TimeUnit.MINUTES)).isTrue();
        CompletableFuture<Integer> second = send(application, "13", "34", "of the later holder");
        Waiting.await(
                "the second write waits for its turn, or has ended",
                Duration.ofMinutes(1),
                () -> second.isDone() || aRequestWaitsForItsTurn());

        printer.leaves.countDown();

        assertThat(first.get(1, TimeUnit.MINUTES)).isEqualTo(200);
        assertThat(second.get(1, TimeUnit.MINUTES)).isEqualTo(200);
        assertThat(label("13")).contains("of the later holder");
    }

    @Test
    void aWriteBehindOneThatDoesNotEndIsUnavailable() throws Exception {
        try (ConfigurableApplicationContext hasty = start("100ms", OrdersApplication.class, SlowPrinter.class)) {
            SlowPrinter printer = hasty.getBean(SlowPrinter.class);
            CompletableFuture<Integer> first = send(hasty, "14", "33", SLOW);
            assertThat(printer.arrived.await(1, TimeUnit.MINUTES)).isTrue();

            assertThat(send(hasty, "14", "34", "behind it").get(1, TimeUnit.MINUTES))
                    .isEqualTo(503);

            printer.leaves.countDown();
            assertThat(first.get(1, TimeUnit.MINUTES)).isEqualTo(200);
            assertThat(send(hasty, "14", "34", "tried again").get(1, TimeUnit.MINUTES))
                    .isEqualTo(200);
        }
    }

    @Test
    void aFullGuardIsUnavailableForNewLabelsAlone() throws Exception {
        try (ConfigurableApplicationContext full = start(OrdersApplication.class, SmallGuard.class)) {
            assertThat(send(full, "1", "33", "known").get(1, TimeUnit.MINUTES)).isEqualTo(200);

            assertThat(send(full, "2", "33", "new").get(1, TimeUnit.MINUTES)).isEqualTo(503);
            assertThat(send(full, "1", "34", "known").get(1, TimeUnit.MINUTES)).isEqualTo(200);
        }
    }

    private static boolean aRequestWaitsForItsTurn() {
        return Thread.getAllStackTraces().values().stream()
                .anyMatch(frames -> isIn(frames, FencedRequests.class) && isIn(frames, ReentrantLock.class));
    }

    private static boolean isIn(StackTraceElement[] frames, Class<?> type) {
        return Arrays.stream(frames).anyMatch(frame -> frame.getClassName().equals(type.getName()));
    }

    private static int write(String parcel, String token, String label) throws Exception {
        return send(application, parcel, token, label).get(1, TimeUnit.MINUTES);
    }

    /** Returns the status of the answer. */
    private static CompletableFuture<Integer> send(
            ConfigurableApplicationContext receiver, String parcel, String token, String label) {
        HttpRequest request = request(receiver, parcel)
                .header(FencingToken.HTTP_HEADER, token)
                .PUT(BodyPublishers.ofString(label))
                .build();
        return HTTP.sendAsync(request, BodyHandlers.discarding()).thenApply(HttpResponse::statusCode);
    }

    private static Optional<String> label(String parcel) throws Exception {
        HttpResponse<String> answer =
                HTTP.send(request(application, parcel).GET().build(), BodyHandlers.ofString());
        return answer.statusCode() == 404 ? Optional.empty() : Optional.of(answer.body());
    }

    private static HttpRequest.Builder request(ConfigurableApplicationContext receiver, String parcel) {
        String port = receiver.getEnvironment().getProperty("local.server.port");
        return HttpRequest.newBuilder(URI.create("http://localhost:" + port + "/labels/" + parcel));
    }

    /** Keeps one label until the test lets it leave. */
    @Primary
    static class SlowPrinter extends Printer {
        private final CountDownLatch arrived = new CountDownLatch(1);
        private final CountDownLatch leaves = new CountDownLatch(1);

        @Override
        void print(String label) throws InterruptedException {
            if (label.equals(SLOW)) {
                arrived.countDown();
                assertThat(leaves.await(1, TimeUnit.MINUTES)).isTrue();
            }
        }
    }

    /** Has room for one label. */
    static class SmallGuard {
        @Bean
        @Primary
        FencingGuard smallGuard() {
            return FencingGuard.of(1, Duration.ofHours(1));
        }
    }
}
