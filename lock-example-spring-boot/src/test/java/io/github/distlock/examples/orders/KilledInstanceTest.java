package io.github.distlock.examples.orders;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/** Two processes of the application on one Redis. One of them is killed in the middle of its scheduled job. */
class KilledInstanceTest {
    private static final Duration LIMIT = Duration.ofMinutes(1);
    private static final String HOLDER = "\"holders\":\\[\\{\"owner\":\\{\"host\":\"[^\"]*\",\"process\":(\\d+)";
    private static final String ACQUIRED = "metrics/distlock.acquire?tag=outcome:acquired";
    /** Redis counts the rest of a lease in milliseconds. */
    private static final Duration PRECISION = Duration.ofMillis(10);

    @Test
    void theOtherInstanceRunsTheJobAfterTheLeaseOfTheKilledOne() {
        try (RedisServer redis = RedisServer.start();
                OrdersProcess one = start(redis);
                OrdersProcess other = start(redis)) {
            one.awaitStart();
            other.awaitStart();
            Waiting.await(
                    "one of them runs the job, and the other one waits",
                    LIMIT,
                    () -> lock(one).matches(".*\"holders\":\\[\\{.*\"waiters\":\\[\\{.*"));
            String before = lock(one);
            boolean oneIsKilled = found(before, HOLDER).equals(Long.toString(one.pid()));
            OrdersProcess killed = oneIsKilled ? one : other;
            OrdersProcess survivor = oneIsKilled ? other : one;
            assertIsHealthy(killed);
            assertIsHealthy(survivor);

            killed.kill();
            Waiting.await("the survivor acquires the lock", LIMIT, () -> {
                assertIsHealthy(survivor);
                return survivor.actuator(ACQUIRED).statusCode() == 200;
            });

            assertThat(found(lock(survivor), HOLDER)).isEqualTo(Long.toString(survivor.pid()));
            assertThat(token(survivor.sending())).isGreaterThan(Long.parseLong(found(before, "\"token\":\"(\\d+)\"")));
            String acquires = survivor.actuator(ACQUIRED).body();
            assertThat(measured(acquires, "COUNT")).isEqualTo(1);
            assertThat(seconds(measured(acquires, "TOTAL_TIME")))
                    .isGreaterThan(Duration.parse(found(before, "\"remainingLease\":\"([^\"]+)\""))
                            .minus(PRECISION));
            survivor.letSend();
            Waiting.await(
                    "the survivor has sent the report",
                    LIMIT,
                    () -> lock(survivor).contains("\"holders\":[]"));
            assertIsHealthy(survivor);
        }
    }

    private static OrdersProcess start(RedisServer redis) {
        return new OrdersProcess(
                redis, "--distlock.lease=5s", "--orders.report.cron=* * * * * *", "--orders.report.wait=2m");
    }

    private static String lock(OrdersProcess instance) {
        return instance.actuator("locks?name=reports/daily").body();
    }

    private static void assertIsHealthy(OrdersProcess instance) {
        assertThat(instance.actuator("health").body())
                .startsWith("{\"status\":\"UP\"")
                .contains("\"distlock\":{\"status\":\"UP\"");
    }

    private static long token(String report) {
        return Long.parseLong(found(report, "report (\\d+)"));
    }

    private static double measured(String meter, String statistic) {
        return Double.parseDouble(found(meter, "\"statistic\":\"" + statistic + "\",\"value\":([^}]+)}"));
    }

    private static Duration seconds(double seconds) {
        return Duration.ofNanos(Math.round(seconds * 1e9));
    }

    private static String found(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertThat(matcher.find()).as(text).isTrue();
        return matcher.group(1);
    }
}
