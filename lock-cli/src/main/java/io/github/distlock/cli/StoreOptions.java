package io.github.distlock.cli;

import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import io.github.distlock.zookeeper.ZooKeeperBackendBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/** Which store a verb uses. Addresses may contain passwords, so no message repeats one. */
final class StoreOptions {
    static final String URL = "DISTLOCK_URL";
    static final String URL_FILE = "DISTLOCK_URL_FILE";

    private static final String ZOOKEEPER = "zookeeper://";
    private static final Pattern NAMESPACE = Pattern.compile("[A-Za-z0-9._-]+|\\{[A-Za-z0-9._-]+}");

    @Option(
            names = "--url",
            paramLabel = "URL",
            description = "Address of the store, without a password: redis://, rediss://, redis-sentinel://, "
                    + "redis-cluster:// or zookeeper://. Otherwise DISTLOCK_URL has it.")
    @Nullable
    String url;

    @Option(
            names = "--url-file",
            paramLabel = "FILE",
            description = "File with the address, such as a mounted secret. Otherwise DISTLOCK_URL_FILE names it.")
    @Nullable
    Path urlFile;

    @Option(
            names = "--namespace",
            paramLabel = "NAMESPACE",
            description = "As the property distlock.namespace of Spring Boot.")
    @Nullable
    String namespace;

    /** Longer than in applications: the first request of a JVM also loads classes. */
    @Option(
            names = "--timeout",
            paramLabel = "TIME",
            defaultValue = "5s",
            converter = DurationOption.class,
            description = "How long a request may go unanswered; ${DEFAULT-VALUE} by default.")
    Duration timeout = Duration.ZERO;

    /**
     * Makes the backend. Sends nothing.
     *
     * @param lease how long the store keeps the locks of a silent client
     */
    LockBackend backend(Duration lease) {
        return backend(address(System.getenv()), lease);
    }

    LockBackend backend(Address address, Duration lease) {
        String suffix = suffix();
        if (address.text().toLowerCase(Locale.ROOT).startsWith(ZOOKEEPER)) {
            ZooKeeperBackendBuilder builder = Failure.naming(address.source(), () -> zooKeeper(address.text()));
            return Failure.naming("--lease", () -> builder.sessionTimeout(lease))
                    .basePath("/distlock" + suffix)
                    .build();
        }
        return Failure.naming(address.source(), () -> redis(address.text(), "distlock" + suffix + ":"));
    }

    private static ZooKeeperBackendBuilder zooKeeper(String address) {
        if (address.contains("@")) {
            throw new IllegalArgumentException("ZooKeeper takes no password in its address");
        }
        return ZooKeeperBackend.builder(address.substring(ZOOKEEPER.length()).replaceFirst("/$", ""));
    }

    private static RedisBackend redis(String address, String prefix) {
        if (!address.toLowerCase(Locale.ROOT).startsWith("redis")) {
            throw new IllegalArgumentException("it must begin with redis://, rediss://, redis+unix://,"
                    + " redis-sentinel://, redis-cluster:// or zookeeper://, but does not");
        }
        return RedisBackend.builder(address).keyPrefix(prefix).build();
    }

    private String suffix() {
        if (namespace == null) {
            return "";
        }
        if (!NAMESPACE.matcher(namespace).matches()) {
            throw new Failure(
                    ExitCode.USAGE,
                    "--namespace must have letters, digits, '.', '-' and '_' alone. It may be in braces, as in {shop}");
        }
        return "-" + namespace;
    }

    /** Makes a client of a verb that holds no lock for long. */
    LockClient client() {
        return builder(backend(Duration.ofSeconds(30))).build();
    }

    LockClientBuilder builder(LockBackend backend) {
        return LockClient.builder(backend).name("distlock").requestTimeout(timeout);
    }

    Address address(Map<String, String> environment) {
        if (url != null && urlFile != null) {
            throw new Failure(ExitCode.USAGE, "--url and --url-file exclude each other");
        }
        if (url != null) {
            if (url.contains("@") || url.toLowerCase(Locale.ROOT).contains("sentinelpassword=")) {
                throw new Failure(
                        ExitCode.USAGE,
                        "--url must not contain a password, because other users can see it in the list of processes: "
                                + "use " + URL + " or --url-file");
            }
            return new Address("--url", url.strip());
        }
        if (urlFile != null) {
            return read("--url-file", urlFile);
        }
        String address = environment.getOrDefault(URL, "");
        String file = environment.getOrDefault(URL_FILE, "");
        if (address.isBlank() && file.isBlank()) {
            throw new Failure(ExitCode.USAGE, "which store? Use --url, --url-file, " + URL + " or " + URL_FILE);
        }
        return address.isBlank() ? read(URL_FILE, Path.of(file)) : new Address(URL, address.strip());
    }

    private static Address read(String source, Path file) {
        try {
            return new Address(source, Files.readString(file).strip());
        } catch (IOException e) {
            throw new Failure(ExitCode.USAGE, source + ": cannot read the file with the address: " + e);
        }
    }

    /** An address, and the option or the variable that says it. */
    record Address(String source, String text) {}
}
