package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.redis.RedisBackend;
import java.io.IOException;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.core.io.Resource;
import org.springframework.core.io.support.PathMatchingResourcePatternResolver;

/** The hints for native images. */
class HintsTest {
    private final RuntimeHints hints = new RuntimeHints();

    HintsTest() {
        new DistlockRuntimeHints().registerHints(hints, HintsTest.class.getClassLoader());
    }

    @Test
    void allScriptsOfTheRedisBackendAreInTheImage() throws IOException {
        Resource[] scripts = new PathMatchingResourcePatternResolver(RedisBackend.class.getClassLoader())
                .getResources("classpath*:io/github/distlock/redis/*.lua");

        assertThat(scripts).hasSizeGreaterThan(20);
        assertThat(Arrays.stream(scripts).map(script -> "io/github/distlock/redis/" + script.getFilename()))
                .allMatch(path ->
                        RuntimeHintsPredicates.resource().forResource(path).test(hints));
    }

    @Test
    void theVersionOfJedisIsInTheImage() {
        assertThat(RuntimeHintsPredicates.resource()
                        .forResource("META-INF/maven/redis.clients/jedis/pom.properties")
                        .test(hints))
                .isTrue();
    }

    @Test
    void theAnswersOfTheEndpointCanBeWrittenAsJson() {
        assertThat(Arrays.stream(LocksEndpoint.class.getDeclaredClasses()))
                .hasSizeGreaterThan(6)
                .allMatch(answer ->
                        RuntimeHintsPredicates.reflection().onType(answer).test(hints));
    }
}
