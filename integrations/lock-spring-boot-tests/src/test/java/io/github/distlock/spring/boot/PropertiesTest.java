package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.spring.EnableDistributedLocks;
import io.github.distlock.spring.LockedMethod;
import io.github.distlock.spring.boot.test.InMemoryLocksAutoConfiguration;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** What the properties do, and when the auto-configuration backs off. */
class PropertiesTest {

    @Test
    void thePropertiesReachTheClient() {
        Contexts.memory()
                .withPropertyValues(
                        "spring.application.name=shop",
                        "distlock.lease=5s",
                        "distlock.fair=true",
                        "distlock.client-name=till")
                .run(context -> {
                    LockClient client = context.getBean("lockClient", LockClient.class);

                    LockOptions options = client.lock("a").options();
                    assertThat(options.lease()).isEqualTo(Duration.ofSeconds(5));
                    assertThat(options.isLeaseRenewed()).isTrue();
                    assertThat(options.isFair()).isTrue();
                    try (LockHandle held = client.lock("a").acquire()) {
                        assertThat(owner(client)).isEqualTo("till");
                    }
                });
    }

    @Test
    void theClientHasTheNameOfTheApplication() {
        Contexts.memory().withPropertyValues("spring.application.name=shop").run(context -> {
            LockClient client = context.getBean("lockClient", LockClient.class);

            try (LockHandle held = client.lock("a").acquire()) {
                assertThat(owner(client)).isEqualTo("shop");
            }
        });
    }

    private static String owner(LockClient client) {
        return client.inspector().inspect("a").holders().get(0).owner().client();
    }

    @Test
    void requestsAndOutagesHaveTheTimeoutsOfTheProperties() {
        Contexts.memory()
                .withPropertyValues("distlock.request-timeout=20ms", "distlock.outage-timeout=30ms")
                .run(context -> {
                    LockClient client = context.getBean("lockClient", LockClient.class);
                    InMemoryBackend connection = (InMemoryBackend) context.getBean(LockBackend.class);
                    connection.pause();

                    assertThatThrownBy(() -> client.lock("a").acquire()).isInstanceOf(LockException.class);
                    assertThatThrownBy(() -> client.inspector().inspect("a")).isInstanceOf(LockException.class);
                    connection.resume();
                });
    }

    @Test
    void aValueThatIsOutOfBoundsFailsTheStartUp() {
        Contexts.memory()
                .withPropertyValues("distlock.request-timeout=2h")
                .run(context -> assertThat(context.getStartupFailure())
                        .hasStackTraceContaining("requestTimeout must be from PT0.001S to PT1H, but was PT2H"));
    }

    @Test
    void aPropertySwitchesEverythingOff() {
        Contexts.both().withPropertyValues("distlock.enabled=false").run(context -> {
            assertThat(context).hasNotFailed();
            assertThat(context).doesNotHaveBean(LockClient.class);
            assertThat(context).doesNotHaveBean("distributedLockAdvisor");
        });
    }

    @Test
    void aClientOfTheApplicationReplacesTheAutoConfiguredOne() {
        Contexts.both()
                .withBean(
                        "mine",
                        LockClient.class,
                        () -> LockClient.create(new Contexts.Memory().store().connect()))
                .run(context -> {
                    assertThat(context).hasSingleBean(LockClient.class).hasBean("mine");
                    assertThat(context).doesNotHaveBean(LockBackend.class);
                });
    }

    @Test
    void theBeansOfTestsBackOff() {
        Contexts.both()
                .withConfiguration(AutoConfigurations.of(InMemoryLocksAutoConfiguration.class))
                .withUserConfiguration(OwnStore.class)
                .run(context -> {
                    assertThat(context).hasSingleBean(InMemoryStore.class).hasSingleBean(InMemoryBackend.class);
                    assertThat(context.getBean("otherLockClient", LockClient.class)
                                    .name())
                            .isEqualTo("mine");
                });
    }

    @Configuration(proxyBeanMethods = false)
    static class OwnStore {
        @Bean
        InMemoryStore ownStore() {
            return new InMemoryStore();
        }

        @Bean(destroyMethod = "")
        InMemoryBackend ownBackend(InMemoryStore store) {
            return store.connect();
        }

        @Bean(defaultCandidate = false)
        LockClient otherLockClient(InMemoryStore store) {
            return LockClient.builder(store.connect()).name("mine").build();
        }
    }

    @Test
    void annotatedMethodsAreLockedWithoutFurtherConfiguration() {
        Contexts.memory()
                .withBean(Orders.class)
                .run(context ->
                        assertThat(context.getBean(Orders.class).ship(42)).isEqualTo("orders/42"));
    }

    @Test
    void applicationsMaySwitchTheAnnotationOnThemselves() {
        Contexts.memory()
                .withUserConfiguration(Enabled.class)
                .withBean(Orders.class)
                .run(context ->
                        assertThat(context.getBean(Orders.class).ship(42)).isEqualTo("orders/42"));
    }

    @Test
    void theMetadataDescribesEveryPropertyOfTheListOfNames() throws IOException {
        String names = Files.readString(Path.of("../../docs/names.md"));
        String properties =
                names.substring(names.indexOf("| property of Spring's"), names.indexOf("| bean of Spring Boot"));
        Set<String> listed = new TreeSet<>(found(properties, "`(distlock\\.[a-z.-]+)`"));

        String metadata = metadata("META-INF/spring-configuration-metadata.json")
                + metadata("META-INF/additional-spring-configuration-metadata.json");
        Set<String> described = new TreeSet<>(found(
                metadata.substring(metadata.indexOf("\"properties\"")),
                "\\{\\s+\"name\": \"(distlock\\.[a-z.-]+)\",\\s+\"type\": \"[^\"]+\",\\s+\"description\": \"[^\"]+\""));

        assertThat(described).isEqualTo(listed);
    }

    private static String metadata(String resource) throws IOException {
        try (InputStream file = DistlockProperties.class.getClassLoader().getResourceAsStream(resource)) {
            return file == null ? "" : new String(file.readAllBytes(), StandardCharsets.UTF_8);
        }
    }

    private static Set<String> found(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        return matcher.results().map(match -> match.group(1)).collect(Collectors.toSet());
    }

    static class Orders {
        @DistributedLocked(key = "orders/#{#id}")
        public String ship(int id) {
            return LockedMethod.currentHandle().lockName();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableDistributedLocks
    static class Enabled {}
}
