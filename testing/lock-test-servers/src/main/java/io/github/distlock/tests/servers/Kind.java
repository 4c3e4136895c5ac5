package io.github.distlock.tests.servers;

import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Whether the servers of one product run in containers or as processes, and why. Each JVM decides and prints it once.
 */
final class Kind {
    private static final String PROPERTY = "lock.servers";
    private static final ConcurrentMap<String, Kind> CHOSEN = new ConcurrentHashMap<>();

    final boolean containers;
    final String image;

    private final String product;
    private final String reason;
    private final AtomicBoolean announced = new AtomicBoolean();

    private Kind(String product, String image, boolean containers, String reason) {
        this.product = product;
        this.image = image;
        this.containers = containers;
        this.reason = reason;
    }

    /** Returns the kind of servers for a product; the property overrides the default image. */
    static Kind of(String product, String imageProperty, String defaultImage) {
        return CHOSEN.computeIfAbsent(product, name -> choose(name, System.getProperty(imageProperty, defaultImage)));
    }

    private static Kind choose(String product, String image) {
        String wanted = System.getProperty(PROPERTY, "auto").toLowerCase(Locale.ROOT);
        return switch (wanted) {
            case "processes" -> new Kind(product, image, false, "as " + PROPERTY + " says");
            case "containers" -> forced(product, image);
            case "auto" ->
                DockerEngine.unlikely()
                        .or(() -> DockerEngine.obstacleSoon(image))
                        .map(why -> new Kind(product, image, false, why))
                        .orElseGet(() -> new Kind(product, image, true, "a Docker engine answers"));
            default ->
                throw new IllegalStateException(PROPERTY + "=" + wanted + " is not auto, containers or processes");
        };
    }

    private static Kind forced(String product, String image) {
        Optional<String> obstacle = DockerEngine.obstacle(image);
        if (obstacle.isPresent()) {
            throw new IllegalStateException(
                    PROPERTY + "=containers is not possible for " + product + ": " + obstacle.get());
        }
        return new Kind(product, image, true, "as " + PROPERTY + " says");
    }

    /** Prints once which servers the tests use. */
    void announce(Server server) {
        if (announced.compareAndSet(false, true)) {
            String where = containers ? "containers of the image " + image : "processes";
            System.out.println(product + " " + server.version() + " in " + where + " (" + reason + ")");
        }
    }
}
