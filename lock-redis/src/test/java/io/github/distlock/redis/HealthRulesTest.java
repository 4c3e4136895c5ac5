package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.tests.PromiseNames;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the reports of servers mean that tests cannot start. */
@DisplayNameGeneration(PromiseNames.class)
class HealthRulesTest {
    private final HealthRules rules = new HealthRules("server:6379", false);

    @ParameterizedTest
    @CsvSource({
        "redis_version, 5.0.14, ERROR VERSION",
        "redis_version, 6.0.20, ERROR VERSION",
        "redis_version, 6.2.0,",
        "redis_version, 7.0.15,",
        "redis_version, 10.0.0-rc1,",
        "redis_version, unknown,",
        "redis_mode, sentinel, ERROR ROLE",
        "loading, 1, ERROR ROLE",
        "aof_last_write_status, err, ERROR PERSISTENCE",
        "rdb_last_bgsave_status, err, ERROR PERSISTENCE",
        "maxmemory_policy, noeviction,",
        "cluster_enabled, 1, ERROR CLUSTER",
    })
    void api_eachFieldOfAReportHasItsFinding(String field, String value, String finding) {
        rules.server(Map.of(field, value));

        assertThat(rules.findings())
                .map(each -> each.severity() + " " + each.subject())
                .isEqualTo(finding == null ? List.of() : List.of(finding));
    }

    @ParameterizedTest
    @CsvSource({
        "100000, 103000, 100500, 2500 ms ahead of",
        "100000, 98500, 100500, 1500 ms behind",
        "100000, 101400, 100500,",
        "100000, 99100, 100500,",
        "100000, 100200, 100500,",
    })
    void api_aClockIsFoundThatTheTimeOfTheRequestDoesNotExplain(long before, long clock, long after, String found) {
        rules.clock(before, clock, after);

        assertThat(rules.findings())
                .hasSize(found == null ? 0 : 1)
                .allMatch(each -> each.found().contains(String.valueOf(found)));
    }
}
