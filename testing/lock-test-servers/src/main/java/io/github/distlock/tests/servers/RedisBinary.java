package io.github.distlock.tests.servers;

import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Finds the program of the Redis server: by system property, on the path, or in the library embedded-redis. */
final class RedisBinary {
    private static final String PROPERTY = "lock.redis.binary";
    private static final String NAME = "redis-server";
    private static final Map<String, String> EMBEDDED = Map.of(
            "linux amd64", "redis-server-6.2.6-v5-linux-amd64",
            "linux aarch64", "redis-server-6.2.7-linux-arm64",
            "mac x86_64", "redis-server-6.2.6-v5-darwin-amd64",
            "mac aarch64", "redis-server-6.2.6-v5-darwin-arm64");

    private static final ReentrantLock LOCK = new ReentrantLock();
    private static @Nullable Path found;

    private RedisBinary() {}

    static Path path() {
        LOCK.lock();
        try {
            if (found == null) {
                found = find();
            }
            return found;
        } finally {
            LOCK.unlock();
        }
    }

    private static Path find() {
        String named = System.getProperty(PROPERTY);
        if (named != null) {
            Path file = Path.of(named);
            if (!Files.isExecutable(file)) {
                throw new IllegalStateException(PROPERTY + "=" + named + " is not an executable file");
            }
            return file;
        }
        return onPath().or(RedisBinary::embedded)
                .orElseThrow(() -> new IllegalStateException("no Redis server: set " + PROPERTY + ", install " + NAME
                        + ", or add com.github.codemonstur:embedded-redis to the class path"));
    }

    private static Optional<Path> onPath() {
        String path = System.getenv("PATH");
        return path == null
                ? Optional.empty()
                : Stream.of(path.split(File.pathSeparator))
                        .map(directory -> Path.of(directory, NAME))
                        .filter(Files::isExecutable)
                        .findFirst();
    }

    private static Optional<Path> embedded() {
        String resource = EMBEDDED.get(platform());
        if (resource == null) {
            return Optional.empty();
        }
        try (InputStream program = ClassLoader.getSystemResourceAsStream(resource)) {
            return program == null ? Optional.empty() : Optional.of(extracted(program));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot extract " + resource, e);
        }
    }

    private static Path extracted(InputStream program) throws IOException {
        Path file = TemporaryFiles.newDirectory("redis-binary").resolve(NAME);
        Files.copy(program, file);
        if (!file.toFile().setExecutable(true)) {
            throw new IOException("cannot make " + file + " executable");
        }
        return file;
    }

    private static String platform() {
        String system = System.getProperty("os.name").toLowerCase(Locale.ROOT);
        return (system.startsWith("mac") ? "mac" : system) + " " + System.getProperty("os.arch");
    }
}
