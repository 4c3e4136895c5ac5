package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.tests.servers.RedisServer;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import redis.clients.jedis.Jedis;

/** Applications over a real Redis: one dependency, two properties and one annotation. */
class RedisApplicationTest {
    private static RedisServer redisServer;

    @BeforeAll
    static void startServer() {
        redisServer = RedisServer.start();
    }

    @AfterAll
    static void stopServer() {
        redisServer.close();
    }

    @Test
    void theUrlAndOneAnnotationSuffice() {
        try (ConfigurableApplicationContext application = start("distlock.redis.url", redisServer.uri());
                Jedis redis = new Jedis(redisServer.uri())) {
            boolean isLocked = application.getBean(Orders.class).ship(42, () -> redis.exists("distlock:orders/42"));

            assertThat(isLocked).isTrue();
            assertThat(redis.exists("distlock:orders/42")).isFalse();
        }
    }

    @Test
    void bootsOwnPropertiesSuffice() {
        try (ConfigurableApplicationContext application = start("spring.data.redis.url", redisServer.uri());
                Jedis redis = new Jedis(redisServer.uri())) {
            boolean isLocked = application.getBean(Orders.class).ship(43, () -> redis.exists("distlock:orders/43"));

            assertThat(isLocked).isTrue();
        }
    }

    @Test
    void aNamespaceSeparatesTheLocksOfAnApplicationFromThoseOfOthers() {
        try (ConfigurableApplicationContext application =
                        start("distlock.redis.url", redisServer.uri(), "distlock.namespace", "shop");
                ConfigurableApplicationContext neighbor = start("distlock.redis.url", redisServer.uri());
                Jedis redis = new Jedis(redisServer.uri())) {
            LockClient locks = neighbor.getBean(LockClient.class);

            boolean isLocked = application.getBean(Orders.class).ship(44, () -> {
                locks.lock("orders/44").tryAcquire().orElseThrow().close();
                return redis.exists("distlock-shop:orders/44");
            });

            assertThat(isLocked).isTrue();
        }
    }

    /** Acquires need the same rights. */
    @Test
    void missingRightsMakeTheHealthDownAndAreDetails() throws Exception {
        try (Jedis redis = new Jedis(redisServer.uri())) {
            redis.aclSetUser("weak", "on", ">secret", "~*", "&*", "+@connection");
        }

        assertThatHealthIsDown(redisServer.uri().replace("://", "://weak:secret@"), "NOPERM");
    }

    @Test
    void aWrongOrMissingPasswordMakesTheHealthDownAndIsADetail() throws Exception {
        try (RedisServer closed = RedisServer.start("requirepass secret")) {
            assertThatHealthIsDown(closed.uri().replace("://", "://:wrong@"), "WRONGPASS");
            assertThatHealthIsDown(closed.uri(), "NOAUTH");
        }
    }

    private static void assertThatHealthIsDown(String uri, String detail) throws Exception {
        try (WebApplication application = WebApplication.start("management.endpoint.health.show-details", "always");
                LockClient refused = LockClient.builder(RedisBackend.connect(uri))
                        .requestTimeout(Duration.ofSeconds(10))
                        .build()) {
            application.context.getBeanFactory().registerSingleton("refused", refused);

            HttpResponse<String> health = application.get("/health/distlock");

            assertThat(health.statusCode()).isEqualTo(503);
            assertThat(health.body()).contains("\"status\":\"DOWN\"", "\"refused\":", detail);
        }
    }

    private static ConfigurableApplicationContext start(String... properties) {
        SpringApplication application = new SpringApplication(Shop.class);
        Map<String, Object> all = new TreeMap<>(Map.of(
                "spring.main.web-application-type", "none",
                "spring.main.banner-mode", "off",
                "distlock.backend", "redis"));
        for (int i = 0; i < properties.length; i += 2) {
            all.put(properties[i], properties[i + 1]);
        }
        application.setDefaultProperties(all);
        return application.run();
    }

    public static class Orders {
        @DistributedLocked(key = "orders/#{#id}")
        public boolean ship(int id, Supplier<Boolean> work) {
            return work.get();
        }
    }

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    static class Shop {
        @Bean
        Orders orders() {
            return new Orders();
        }
    }
}
