package io.github.distlock.spring.boot;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.reflect.Constructor;
import java.lang.reflect.Member;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.aot.agent.HintType;
import org.springframework.aot.agent.RecordedInvocation;
import org.springframework.aot.agent.RecordedInvocationsPublisher;
import org.springframework.boot.json.JsonParser;
import org.springframework.boot.json.JsonParserFactory;
import redis.clients.jedis.RedisClient;

/**
 * Locks with each backend. Prints what the metadata for native images lacks, one line for each call, and then how many
 * calls it has seen. Spring's agent has to record the calls that find something by its name.
 */
public final class RecordedNames {
    static final String LACKS = "lacks ";
    static final String SEEN = "seen ";

    /** The first requests of a JVM also load classes, which the agent slows down. */
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private static final String METADATA = "META-INF/native-image/io.github.distlock/";

    private final Set<String> registered = new HashSet<>();
    private final Set<Pattern> resources = new HashSet<>();

    private RecordedNames() {}

    public static void main(String[] arguments) throws InterruptedException {
        Queue<RecordedInvocation> recorded = new ConcurrentLinkedQueue<>();
        RecordedInvocationsPublisher.addListener(recorded::add);
        RecordedNames names = new RecordedNames();
        names.readMetadata("lock-redis");
        names.readMetadata("lock-zookeeper");
        recorded.clear();

        lock(RedisBackend.connect(arguments[0]));
        try (RedisClient client = RedisClient.create(arguments[0])) {
            lock(RedisBackend.of(client));
        }
        names.print("Redis", recorded);
        lock(ZooKeeperBackend.connect(arguments[1]));
        names.print("ZooKeeper", recorded);
    }

    private void print(String backend, Queue<RecordedInvocation> recorded) {
        recorded.stream().filter(this::lacks).forEach(each -> System.out.println(LACKS + each));
        System.out.println(SEEN + backend + " " + recorded.size());
        recorded.clear();
    }

    private static void lock(LockBackend backend) throws InterruptedException {
        try (LockClient client =
                        LockClient.builder(backend).requestTimeout(PATIENCE).build();
                LockHandle held = client.lock("orders/42").acquire()) {
            var unused = client.inspector().inspect(held.lockName());
        }
    }

    private boolean lacks(RecordedInvocation invocation) {
        if (invocation.getHintType() == HintType.RESOURCE_PATTERN) {
            Object place = invocation.getInstance();
            String file = invocation.getArgument(0);
            String path = place instanceof Class<?> type ? resource(type, file) : file;
            return resources.stream().noneMatch(pattern -> pattern.matcher(path).matches());
        }
        String name = name(invocation);
        return name != null && !registered.contains(name);
    }

    private static String resource(Class<?> type, String name) {
        return name.startsWith("/") ? name.substring(1) : type.getPackageName().replace('.', '/') + "/" + name;
    }

    /** Returns the class or member that was found or used, or null if code has looked for it in vain. */
    private static @Nullable String name(RecordedInvocation invocation) {
        Object found = invocation.getReturnValue();
        Object used = invocation.isStatic() ? null : invocation.getInstance();
        if ((used instanceof Member ? used : found) instanceof Member member) {
            return name(
                    member.getDeclaringClass().getName(),
                    member instanceof Constructor<?> ? "<init>" : member.getName());
        }
        return found instanceof Class<?> type ? type.getName() : null;
    }

    private static String name(String type, Object member) {
        return type + "#" + member;
    }

    @SuppressWarnings("unchecked")
    private void readMetadata(String module) {
        JsonParser parser = JsonParserFactory.getJsonParser();
        for (Object each : parser.parseList(text(module + "/reflect-config.json", "[]"))) {
            Map<String, Object> entry = (Map<String, Object>) each;
            String type = (String) entry.get("name");
            registered.add(type);
            for (String kind : List.of("methods", "fields")) {
                List<Map<String, Object>> members = (List<Map<String, Object>>) entry.getOrDefault(kind, List.of());
                members.forEach(member -> registered.add(name(type, member.get("name"))));
            }
        }
        Map<String, Object> included =
                (Map<String, Object>) parser.parseMap(text(module + "/resource-config.json", "{}"))
                        .getOrDefault("resources", Map.of("includes", List.of()));
        for (Map<String, Object> each : (List<Map<String, Object>>) included.get("includes")) {
            resources.add(Pattern.compile((String) each.get("pattern")));
        }
    }

    private static String text(String file, String otherwise) {
        try (InputStream metadata = RecordedNames.class.getClassLoader().getResourceAsStream(METADATA + file)) {
            return metadata == null ? otherwise : new String(metadata.readAllBytes(), UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
