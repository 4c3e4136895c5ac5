package io.github.distlock.bench;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import com.sun.net.httpserver.HttpServer;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.micrometer.LockMetrics;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.ThreadLocalRandom;
import java.util.regex.Pattern;
import redis.clients.jedis.Jedis;

/**
 * Draws the panels of {@code docs/monitoring/dashboard.json} from what a real Prometheus has scraped of two clients on
 * one Redis. Queries, legends and places are those of the dashboard. The drawing is not Grafana's.
 *
 * <p>The first client has threads that contend for orders. The second one keeps a lock for the whole time. After 40 s
 * its key is deleted, so the hold is lost. After 60 s the server stands still for 3 s.
 *
 * <p>Argument: the program of Prometheus.
 */
final class Dashboard {
    private static final Path FOLDER = Path.of("docs", "monitoring");
    private static final Duration RUN = Duration.ofSeconds(100);
    private static final Duration LOSS = Duration.ofSeconds(40);
    private static final Duration PAUSE = Duration.ofSeconds(60);
    private static final Duration LENGTH_OF_PAUSE = Duration.ofSeconds(3);
    private static final int THREADS = 8;
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(\\w+)}}");

    private final PrometheusMeterRegistry meters = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    private final Instant begin = Instant.now();
    private volatile boolean hasEnded;

    private Dashboard() {}

    public static void main(String[] arguments) throws Exception {
        new Dashboard().run(arguments[0]);
    }

    private void run(String program) throws Exception {
        HttpServer page = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
        page.createContext("/metrics", exchange -> {
            byte[] scraped = meters.scrape().getBytes(UTF_8);
            exchange.getResponseHeaders().add("Content-Type", "text/plain; version=0.0.4");
            exchange.sendResponseHeaders(200, scraped.length);
            exchange.getResponseBody().write(scraped);
            exchange.close();
        });
        page.start();
        int port = freePort();
        Path folder = Files.createTempDirectory("prometheus");
        Path config = Files.writeString(folder.resolve("prometheus.yml"), """
                global: {scrape_interval: 1s}
                scrape_configs:
                  - job_name: application
                    static_configs: [{targets: ["127.0.0.1:%d"]}]
                """.formatted(
                        page.getAddress().getPort()));
        try (ChildProgram prometheus = ChildProgram.startCommand(
                        program,
                        "--config.file=" + config,
                        "--storage.tsdb.path=" + folder.resolve("data"),
                        "--web.listen-address=127.0.0.1:" + port);
                RedisServer redis = RedisServer.start()) {
            load(redis);
            Files.writeString(FOLDER.resolve("dashboard.svg"), Panels.draw(panels(port), (double) RUN.toSeconds()));
        } finally {
            page.stop(0);
        }
    }

    private static int freePort() throws IOException {
        try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
            return socket.getLocalPort();
        }
    }

    private LockClient client(RedisServer redis, String name) {
        return LockMetrics.builder(meters)
                .build()
                .build(LockClient.builder(RedisBackend.connect(redis.uri()))
                        .name(name)
                        .defaultOptions(LockOptions.defaults().renewedLease(Duration.ofSeconds(6))));
    }

    private void load(RedisServer redis) throws InterruptedException {
        try (LockClient shop = client(redis, "shop");
                LockClient jobs = client(redis, "jobs")) {
            List<Thread> threads = new ArrayList<>();
            for (int i = 0; i < THREADS; i++) {
                threads.add(start(() -> order(shop)));
            }
            threads.add(start(() -> nightly(jobs)));
            Waiting.letPass(LOSS);
            try (Jedis jedis = new Jedis(redis.uri())) {
                jedis.del("distlock:jobs/nightly");
            }
            Waiting.letPass(PAUSE.minus(LOSS));
            redis.pause();
            Waiting.letPass(LENGTH_OF_PAUSE);
            redis.resume();
            Waiting.letPass(RUN.minus(PAUSE).minus(LENGTH_OF_PAUSE));
            hasEnded = true;
            for (Thread thread : threads) {
                thread.join();
            }
        }
    }

    private static Thread start(Runnable work) {
        Thread thread = new Thread(work);
        thread.start();
        return thread;
    }

    private void order(LockClient shop) {
        while (!hasEnded) {
            ThreadLocalRandom random = ThreadLocalRandom.current();
            try {
                Optional<LockHandle> held =
                        shop.lock("orders/" + random.nextInt(3)).tryAcquire(Duration.ofMillis(100));
                if (held.isPresent()) {
                    Waiting.letPass(Duration.ofMillis(random.nextInt(5, 40)));
                    var unused = held.get().release();
                }
                Waiting.letPass(Duration.ofMillis(random.nextInt(20)));
            } catch (LockException e) {
                // The server stands still. The next round asks again.
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        }
    }

    private void nightly(LockClient jobs) {
        while (!hasEnded) {
            try {
                LockHandle held = jobs.lock("jobs/nightly").acquireUninterruptibly();
                while (!hasEnded && held.isHeld()) {
                    Waiting.letPass(Duration.ofMillis(100));
                }
                var unused = held.release();
            } catch (LockException e) {
                // As above.
            }
        }
    }

    private List<Panels.Panel> panels(int port) throws IOException {
        List<Panels.Panel> panels = new ArrayList<>();
        for (JsonElement each : JsonParser.parseString(Files.readString(FOLDER.resolve("dashboard.json")))
                .getAsJsonObject()
                .getAsJsonArray("panels")) {
            JsonObject panel = each.getAsJsonObject();
            JsonObject place = panel.getAsJsonObject("gridPos");
            List<Lines.Line> lines = new ArrayList<>();
            for (JsonElement target : panel.getAsJsonArray("targets")) {
                lines.addAll(lines(port, target.getAsJsonObject()));
            }
            panels.add(new Panels.Panel(
                    panel.get("title").getAsString() + unit(panel),
                    place.get("x").getAsInt(),
                    place.get("y").getAsInt(),
                    lines));
        }
        return panels;
    }

    private static String unit(JsonObject panel) {
        String unit = panel.getAsJsonObject("fieldConfig")
                .getAsJsonObject("defaults")
                .get("unit")
                .getAsString();
        return unit.equals("s") ? " (s)" : "";
    }

    /** Asks for a panel's query over the whole time, with the variables that the dashboard has by default. */
    private List<Lines.Line> lines(int port, JsonObject target) throws IOException {
        String query = target.get("expr")
                .getAsString()
                .replace("$__rate_interval", "5s")
                .replace("$client", ".*")
                .replace("$lock", ".*");
        String question = "http://127.0.0.1:" + port + "/api/v1/query_range?step=2&start=" + begin.getEpochSecond()
                + "&end=" + begin.plus(RUN).getEpochSecond() + "&query=" + URLEncoder.encode(query, UTF_8);
        JsonArray results;
        try (InputStream answer = URI.create(question).toURL().openStream()) {
            results = JsonParser.parseString(new String(answer.readAllBytes(), UTF_8))
                    .getAsJsonObject()
                    .getAsJsonObject("data")
                    .getAsJsonArray("result");
        }
        List<Lines.Line> lines = new ArrayList<>();
        for (JsonElement each : results) {
            JsonObject result = each.getAsJsonObject();
            JsonObject labels = result.getAsJsonObject("metric");
            Lines.Line line = new Lines.Line(PLACEHOLDER
                    .matcher(target.get("legendFormat").getAsString())
                    .replaceAll(label -> labels.get(label.group(1)).getAsString()));
            for (JsonElement point : result.getAsJsonArray("values")) {
                double value = point.getAsJsonArray().get(1).getAsDouble();
                if (Double.isFinite(value)) {
                    line.add(point.getAsJsonArray().get(0).getAsDouble() - begin.getEpochSecond(), value);
                }
            }
            if (!line.xs.isEmpty()) {
                lines.add(line);
            }
        }
        return lines;
    }
}
