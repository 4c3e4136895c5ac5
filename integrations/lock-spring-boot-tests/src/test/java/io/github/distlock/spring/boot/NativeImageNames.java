package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.RedisServer;
import io.github.distlock.tests.servers.ZooKeeperServer;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.aot.agent.RecordedInvocation;

/**
 * The metadata for native images has each class, member and resource that the backends ask for by name. Spring's agent
 * records them. It takes seconds, so {@code .ci/extended spring} runs it.
 */
class NativeImageNames {
    @Test
    void theMetadataCoversWhatTheBackendsFindByName() throws URISyntaxException {
        List<String> lacking = new ArrayList<>();

        try (RedisServer redis = RedisServer.start();
                ZooKeeperServer zookeeper = ZooKeeperServer.start();
                ChildProgram program = ChildProgram.start(
                        List.of("-javaagent:" + agent() + "=+io.github.distlock,-io.github.distlock.spring"
                                + ",+org.apache.zookeeper.ZooKeeper"),
                        RecordedNames.class,
                        redis.uri(),
                        zookeeper.connectString())) {
            for (String backend : List.of("Redis", "ZooKeeper")) {
                String line = "";
                while (!line.startsWith(RecordedNames.SEEN)) {
                    line = program.nextLine(Duration.ofSeconds(60));
                    if (line.startsWith(RecordedNames.LACKS)) {
                        lacking.add(line);
                    }
                }
                assertThat(line).startsWith(RecordedNames.SEEN + backend).doesNotEndWith(" 0");
            }

            assertThat(lacking).isEmpty();
        }
    }

    private static Path agent() throws URISyntaxException {
        return Path.of(RecordedInvocation.class
                .getProtectionDomain()
                .getCodeSource()
                .getLocation()
                .toURI());
    }
}
