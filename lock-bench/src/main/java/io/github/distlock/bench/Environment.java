package io.github.distlock.bench;

import io.github.distlock.LockClient;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import net.javacrumbs.shedlock.core.SimpleLock;
import org.apache.curator.framework.CuratorFramework;
import org.redisson.api.RedissonClient;
import org.springframework.integration.redis.util.RedisLockRegistry;

/** The versions of everything that takes part in a measurement, and facts of the machine. */
final class Environment {
    private static final Path CPUS = Path.of("/proc/cpuinfo");
    private static final Path MEMORY = Path.of("/proc/meminfo");

    private Environment() {}

    static Map<String, String> read(String server) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("time", Instant.now().truncatedTo(ChronoUnit.SECONDS).toString());
        facts.put("server", server);
        facts.put("jdk", Runtime.version().toString());
        facts.put("os", System.getProperty("os.name") + " " + System.getProperty("os.version"));
        facts.put("cores", Integer.toString(Runtime.getRuntime().availableProcessors()));
        facts.put("cpu", found(CPUS, "model name"));
        facts.put("memory", found(MEMORY, "MemTotal"));
        facts.put("libraries", String.join(" ", libraries()));
        return facts;
    }

    private static List<String> libraries() {
        return Stream.of(
                        LockClient.class,
                        redis.clients.jedis.RedisClient.class,
                        io.lettuce.core.RedisClient.class,
                        RedissonClient.class,
                        RedisLockRegistry.class,
                        SimpleLock.class,
                        com.baomidou.lock.executor.LockExecutor.class,
                        CuratorFramework.class)
                .map(Environment::jar)
                .toList();
    }

    /** Returns the name of the jar or of the module that a class is from. */
    private static String jar(Class<?> type) {
        String place = type.getProtectionDomain().getCodeSource().getLocation().getPath();
        String name = place.replaceAll("/target/classes/$", "").replaceAll("\\.jar$", "");
        return name.substring(name.lastIndexOf('/') + 1);
    }

    private static String found(Path file, String name) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.filter(line -> line.startsWith(name))
                    .map(line -> line.substring(line.indexOf(':') + 1).strip())
                    .findFirst()
                    .orElse("unknown");
        } catch (IOException e) {
            return "unknown";
        }
    }
}
