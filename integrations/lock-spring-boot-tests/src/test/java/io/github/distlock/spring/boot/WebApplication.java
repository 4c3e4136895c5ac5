package io.github.distlock.spring.boot;

import io.github.distlock.memory.InMemoryBackend;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/** A web application with an actuator over a store in memory. */
final class WebApplication implements AutoCloseable {
    private final HttpClient http = HttpClient.newHttpClient();
    final ConfigurableApplicationContext context;

    @Configuration(proxyBeanMethods = false)
    @EnableAutoConfiguration
    @Import(Contexts.Memory.class)
    static class Main {}

    private WebApplication(ConfigurableApplicationContext context) {
        this.context = context;
    }

    /** Starts it. The properties are names and values. */
    static WebApplication start(String... properties) {
        Map<String, Object> all = new TreeMap<>(Map.of(
                "server.port", "0",
                "spring.main.banner-mode", "off",
                "management.endpoints.web.exposure.include", "*",
                "management.endpoint.health.show-components", "always",
                "management.endpoint.health.probes.enabled", "true",
                "management.health.redis.enabled", "false",
                "distlock.request-timeout", "2s"));
        for (int i = 0; i < properties.length; i += 2) {
            all.put(properties[i], properties[i + 1]);
        }
        SpringApplication application = new SpringApplication(Main.class);
        application.setDefaultProperties(all);
        return new WebApplication(application.run());
    }

    InMemoryBackend connection() {
        return context.getBean(InMemoryBackend.class);
    }

    HttpResponse<String> get(String path) throws IOException, InterruptedException {
        return send("GET", path);
    }

    HttpResponse<String> send(String method, String path) throws IOException, InterruptedException {
        String port = context.getEnvironment().getProperty("local.server.port");
        URI uri = URI.create("http://localhost:" + port + "/actuator" + path);
        return http.send(
                HttpRequest.newBuilder(uri)
                        .method(method, HttpRequest.BodyPublishers.noBody())
                        .build(),
                BodyHandlers.ofString());
    }

    @Override
    public void close() {
        context.close();
    }
}
