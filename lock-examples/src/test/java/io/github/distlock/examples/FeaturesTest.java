package io.github.distlock.examples;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** {@code docs/features.md} says what each backend declares, and names rules that exist. */
class FeaturesTest {
    private static final Path DOCS = Path.of("..", "docs");
    private static final Path RIGHT = Path.of("target", "features.md");

    private static final List<Feature> FEATURES = List.of(
            new Feature("exclusive locks", "`lock(name)`", null, "S1.1 to S1.9"),
            new Feature(
                    "reentrant locks, and `java.util.concurrent.locks.Lock`", "`reentrant()`, `asLock()`", null, ""),
            new Feature("several names at once", "`allOf(names)`", null, ""),
            new Feature("a minimum hold", "`LockOptions.minimumHold`", null, "S13.1 to S13.7"),
            new Feature("a minimum validity", "`LockOptions.minimumValidity`", null, "S2.6"),
            new Feature("time for a step, ensured", "`LockHandle.ensure(time)`", null, "S14.7"),
            new Feature("a warning before the end", "`LockHandle.warnBefore(time, action)`", null, ""),
            new Feature(
                    "extensions beyond what is proved anyway",
                    "`LockHandle.extend(time)`",
                    Capability.CHANGE_LEASE,
                    "S14.1 to S14.6"),
            new Feature("a lock delay", "`LockOptions.lockDelay`", Capability.LOCK_DELAY, "S15.1 to S15.10"),
            new Feature("sticky locks", "`LockOptions.sticky`", Capability.STICKY, "V11.1 to V11.9"),
            new Feature("an interrupt of the holder's thread on loss", "`LockOptions.interruptOnLoss`", null, ""),
            new Feature("cancellation of futures on loss", "`held.cancelOnLoss(future)`", null, ""),
            new Feature("fencing tokens", "`fencingToken()`", null, "S3.1 to S3.8, S11.1 to S11.3"),
            new Feature("first come, first served", "`LockOptions.fair`", Capability.FAIR, "V3.2"),
            new Feature(
                    "read-write locks",
                    "`readWriteLock(name)`",
                    Capability.READ_WRITE,
                    "S9.1 to S9.10, V10.1 to V10.6"),
            new Feature(
                    "semaphores", "`semaphore(name, limit)`", Capability.PERMITS, "S10.1 to S10.4, V10.7 to V10.10"),
            new Feature("one kind for each name", "", Capability.READ_WRITE, "S12.1, S12.2"),
            new Feature(
                    "inspection",
                    "`inspector().inspect(name)`",
                    Capability.INSPECT,
                    "API.39, API.40, API.44, API.46, API.48"),
            new Feature("lists of names", "`inspector().list(prefix, limit)`", Capability.LIST, "API.54 to API.57"),
            new Feature(
                    "forced release",
                    "`inspector().forceRelease(name)`",
                    Capability.FORCE_RELEASE,
                    "API.41, API.45, API.47"),
            new Feature(
                    "forced release of one hold",
                    "`inspector().forceRelease(name, token)`",
                    Capability.FORCE_RELEASE,
                    "API.49 to API.53"),
            new Feature(
                    "requests for release",
                    "`inspector().requestRelease(name)`, `onReleaseRequested`",
                    Capability.RELEASE_REQUESTS,
                    "V12.1 to V12.8"));

    /** A row of the table; without a capability, each backend has it. */
    private record Feature(
            String what, String use, @Nullable Capability capability, String rules) {
        private String row(List<Set<Capability>> backends) {
            Stream<String> cells = backends.stream()
                    .map(declared -> capability == null || declared.contains(capability) ? "yes" : "no");
            return Stream.concat(Stream.of(what, use, rules), cells).collect(Collectors.joining(" | ", "| ", " |"));
        }
    }

    @Test
    void theTableSaysWhatEachBackendDeclares() throws IOException {
        String right = page();
        String seen = Files.readString(DOCS.resolve("features.md"));
        if (!seen.equals(right)) {
            Files.writeString(RIGHT, right);
        }

        assertEquals(right, seen, "docs/features.md is out of date: copy " + RIGHT.toAbsolutePath());
    }

    @Test
    void eachCapabilityHasARow() {
        Set<Capability> shown = FEATURES.stream()
                .map(Feature::capability)
                .filter(capability -> capability != null)
                .collect(Collectors.toSet());

        assertEquals(Set.of(Capability.values()), shown);
    }

    @Test
    void theTableNamesRulesThatExist() throws IOException {
        String contract = Files.readString(DOCS.resolve("contract.md"));

        FEATURES.stream()
                .flatMap(feature -> Arrays.stream(feature.rules.split(", | to ", -1)))
                .filter(rule -> !rule.isEmpty())
                .forEach(rule -> assertTrue(contract.contains("\n### " + rule + " "), rule));
    }

    private static String page() {
        try (LockBackend memory = new InMemoryStore().connect();
                LockBackend redis = RedisBackend.connect("redis://localhost:1");
                LockBackend zooKeeper = ZooKeeperBackend.connect("localhost:1")) {
            List<Set<Capability>> backends =
                    List.of(memory.capabilities(), redis.capabilities(), zooKeeper.capabilities());
            String rows =
                    FEATURES.stream().map(feature -> feature.row(backends)).collect(Collectors.joining("\n"));
            return """
                    # Features

                    Use this page to see what each backend has, and which rules of the [contract](contract.md) check it.
                    The capabilities that the backends declare make the table. The engine's own tests check what has no
                    rule. [comparison.md](comparison.md) shows other libraries beside distlock.

                    | feature | use | rules | in memory | Redis | ZooKeeper |
                    |---|---|---|---|---|---|
                    %s

                    If a backend lacks what an acquire needs, making the lock throws an `IllegalArgumentException`.

                    [Fencing](fencing.md) shows how databases, Redis, ZooKeeper and services check the tokens.
                    """.formatted(rows);
        }
    }
}
