package io.github.distlock.tests.servers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/** Finds out whether tests can use containers. Works without Testcontainers on the class path. */
final class DockerEngine {
    private static final long PATIENCE_SECONDS = 60;

    private DockerEngine() {}

    /**
     * Returns why this machine probably has no Docker engine, or nothing if it may have one. Checks before
     * Testcontainers does, whose search is slow and logs warnings.
     */
    static Optional<String> unlikely() {
        String home = System.getProperty("user.home", "");
        String runtime = System.getenv().getOrDefault("XDG_RUNTIME_DIR", "/run");
        boolean likely = System.getenv("DOCKER_HOST") != null
                || System.getProperty("os.name", "").startsWith("Windows")
                || Stream.of(
                                "/var/run/docker.sock",
                                runtime + "/docker.sock",
                                home + "/.docker/run/docker.sock",
                                home + "/.docker/desktop/docker.sock")
                        .map(Path::of)
                        .anyMatch(Files::exists);
        return likely ? Optional.empty() : Optional.of("no socket of a Docker engine");
    }

    /** Returns why containers of this image cannot be started, or nothing if they can. Pulls the image if necessary. */
    static Optional<String> obstacle(String image) {
        try {
            Class.forName("org.testcontainers.DockerClientFactory", false, DockerEngine.class.getClassLoader());
        } catch (ClassNotFoundException e) {
            return Optional.of("org.testcontainers:testcontainers is not on the class path");
        }
        return ContainerImages.obstacle(image);
    }

    /** As {@link #obstacle}, but gives up after 60 s: an engine without a network tries to pull for minutes. */
    static Optional<String> obstacleSoon(String image) {
        CompletableFuture<Optional<String>> answer = new CompletableFuture<>();
        Thread asking = new Thread(
                () -> {
                    try {
                        answer.complete(obstacle(image));
                    } catch (RuntimeException | LinkageError e) {
                        answer.completeExceptionally(e);
                    }
                },
                "distlock-tests-docker");
        asking.setDaemon(true);
        asking.start();
        try {
            return answer.get(PATIENCE_SECONDS, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            return Optional.of("no usable Docker engine within " + PATIENCE_SECONDS + " s");
        } catch (ExecutionException e) {
            return Optional.of("no usable Docker engine: " + e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while asking for a Docker engine", e);
        }
    }
}
