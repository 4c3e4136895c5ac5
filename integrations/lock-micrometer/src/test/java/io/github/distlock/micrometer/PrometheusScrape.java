package io.github.distlock.micrometer;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.servers.ChildProgram;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A real Prometheus scrapes the meters, its alerts fire, and the dashboard shows the first loss. {@code .ci/extended}
 * runs this, and brings Prometheus.
 */
@Timeout(120)
class PrometheusScrape extends MetricsTest {
    private static final String PROGRAM = System.getProperty("lock.prometheus.binary", "prometheus");

    private final PrometheusMeterRegistry prometheus = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final LockClient locks =
            open(LockMetrics.builder(prometheus).build().build(settings()));

    @TempDir
    private Path folder;

    @Test
    void api_prometheusScrapesTheMetersAndAlertsOnALoss() throws Exception {
        int port = freePort();
        try (ServerSocket application = serve(prometheus::scrape);
                ChildProgram server = startServer(port, application.getLocalPort())) {
            LockHandle kept = locks.lock("orders/42").acquire();
            LockHandle lost = locks.lock("orders/43").acquire();
            store.lose("orders/43");
            await("the loss is noticed", () -> {
                store.advance(Duration.ofSeconds(1));
                return !lost.isHeld();
            });

            awaitAnswer(
                    port, "query?query=" + encoded("distlock_lost_total{lock=\"orders\",reason=\"gone\"}"), ",\"1\"]");
            awaitAnswer(port, "query?query=" + encoded("distlock_holds{client=\"orders\",lock=\"orders\"}"), ",\"1\"]");
            awaitAnswer(port, "query?query=" + encoded("sum(distlock_acquire_seconds_count)"), ",\"2\"]");
            awaitAnswer(port, "alerts", "\"alertname\":\"DistlockHoldsLost\"");
            awaitAnswer(port, "query?query=" + encoded(lostHoldsOfTheDashboard()), ",\"1\"]");
            assertThat(server.isAlive()).isTrue();
            kept.close();
        }
    }

    private static String lostHoldsOfTheDashboard() throws IOException {
        return MonitoringTest.expressionsOfTheDashboard().stream()
                .filter(expression -> expression.contains("distlock_lost_total"))
                .findFirst()
                .orElseThrow()
                .replace("$__rate_interval", "1m")
                .replace("$client", ".*")
                .replace("$lock", ".*");
    }

    /** Answers each request with a page, until the socket is closed. */
    private static ServerSocket serve(Supplier<String> page) throws IOException {
        ServerSocket socket = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
        var unused = start(() -> {
            while (true) {
                try (Socket request = socket.accept()) {
                    BufferedReader lines =
                            new BufferedReader(new InputStreamReader(request.getInputStream(), StandardCharsets.UTF_8));
                    String line = lines.readLine();
                    while (line != null && !line.isEmpty()) {
                        line = lines.readLine();
                    }
                    String head = "HTTP/1.0 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n\r\n";
                    request.getOutputStream().write((head + page.get()).getBytes(StandardCharsets.UTF_8));
                }
            }
        });
        return socket;
    }

    private ChildProgram startServer(int port, int target) throws IOException {
        Path config = folder.resolve("prometheus.yml");
        Path alerts = Path.of("..", "..", "docs", "monitoring", "alerts.yml").toRealPath();
        Files.writeString(config, """
                global: {scrape_interval: 1s, evaluation_interval: 1s}
                rule_files: ["%s"]
                scrape_configs:
                  - job_name: application
                    static_configs: [{targets: ["127.0.0.1:%d"]}]
                """.formatted(alerts, target));
        return ChildProgram.startCommand(
                PROGRAM,
                "--config.file=" + config,
                "--storage.tsdb.path=" + folder.resolve("data"),
                "--web.listen-address=127.0.0.1:" + port);
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private static String encoded(String query) {
        return URLEncoder.encode(query, StandardCharsets.UTF_8);
    }

    private static void awaitAnswer(int port, String question, String part) {
        await(question, () -> answer(port, question).contains(part));
    }

    /** Returns an empty text while the server does not answer. */
    private static String answer(int port, String question) {
        URI address = URI.create("http://127.0.0.1:" + port + "/api/v1/" + question);
        try (InputStream body = address.toURL().openStream()) {
            return new String(body.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }
}
