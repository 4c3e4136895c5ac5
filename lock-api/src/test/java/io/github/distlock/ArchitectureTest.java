package io.github.distlock;

import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules about the code itself. Byte code where the rule is about what runs, sources where it is about what is read. */
class ArchitectureTest {
    private static final String API = "io.github.distlock";
    private static final String ENGINE = API + ".engine";
    private static final Path SOURCES = Path.of("src/main/java/io/github/distlock");
    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("/distlock/tests/"))
            .importPackages(API);

    private static final Set<String> PUBLIC_API = Set.of(
            "AcquireOutcome",
            "DistributedLock",
            "DistributedReadWriteLock",
            "DistributedSemaphore",
            "HandoffKind",
            "LockClient",
            "LockClientBuilder",
            "LockEvent",
            "LockException",
            "LockHandle",
            "LockHandle$Release",
            "LockHandle$State",
            "LockHook",
            "LockInspector",
            "LockListener",
            "LockLoss",
            "LockLostException",
            "LockOptions",
            "LockOwner",
            "LockStatus",
            "LockStatus$Holder",
            "LockStatus$Kept",
            "LockStatus$Waiter",
            "LockUsage",
            "LockedAction",
            "LockedCall",
            "LossReason",
            "ReleaseRequest",
            "ThreadOwnedLock");

    @Test
    void thePublicPackageHasOnlyWhatACallerUses() {
        Set<String> open = LIBRARY.stream()
                .filter(type -> type.getPackageName().equals(API))
                .filter(type -> type.getModifiers().contains(PUBLIC))
                .map(type -> type.getName().substring(API.length() + 1))
                .collect(Collectors.toSet());
        assertThat(open).isEqualTo(PUBLIC_API);
    }

    /**
     * An {@code Instant} made for people to read is no arithmetic: the hold's loss, a request to release it, and the
     * store's view of a holder.
     */
    @Test
    void oneClassReckonsWithTheWallClock() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(API + ".engine.Expiry")
                .should()
                .callMethod(Moment.class, "wallMillis")
                .check(LIBRARY);
        noClasses()
                .that()
                .haveNameNotMatching(".*\\.(Hold|ReleaseRequests|LockTable|LockClock|MovableClock)")
                .should()
                .callMethod(LockClock.class, "wallMillis")
                .check(LIBRARY);
    }

    @Test
    void theBackendInterfaceKnowsNoEngineAndTheEngineNoStore() {
        noClasses()
                .that()
                .resideInAPackage(API + ".spi")
                .should()
                .dependOnClassesThat(new DescribedPredicate<>("are the engine's or a store's") {
                    @Override
                    public boolean test(JavaClass type) {
                        return type.getPackageName().equals(API + ".memory")
                                || type.getPackageName().equals(ENGINE);
                    }
                })
                .check(LIBRARY);
        noClasses()
                .that()
                .resideInAnyPackage(API, ENGINE)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(API + ".memory")
                .check(LIBRARY);
    }

    @Test
    void viewsAreBuiltOnTheApiAndTheClockAlone() {
        noClasses()
                .that()
                .resideInAPackage(API + ".view")
                .should()
                .dependOnClassesThat(new DescribedPredicate<>("are the engine's or a backend's") {
                    @Override
                    public boolean test(JavaClass type) {
                        return type.getPackageName().equals(ENGINE)
                                || (type.getPackageName().equals(API + ".spi")
                                        && !Set.of("LockClock", "Deadline").contains(type.getSimpleName()));
                    }
                })
                .check(LIBRARY);
    }

    /** A reader can understand such a group alone. Nested classes count as their outermost class. */
    @Test
    void referenceCyclesAreSmallAndStayInOnePackage() {
        for (Set<String> cycle : cycles()) {
            assertThat(cycle).as("classes that refer to each other").hasSizeLessThanOrEqualTo(6);
            assertThat(cycle.stream()
                            .map(name -> name.substring(0, name.lastIndexOf('.')))
                            .distinct())
                    .as("packages of %s", cycle)
                    .hasSize(1);
        }
    }

    private static Set<Set<String>> cycles() {
        Map<String, Set<String>> references = new TreeMap<>();
        for (JavaClass type : LIBRARY) {
            Set<String> targets = references.computeIfAbsent(outermost(type), name -> new TreeSet<>());
            type.getDirectDependenciesFromSelf().stream()
                    .map(dependency -> dependency.getTargetClass().getBaseComponentType())
                    .filter(target -> target.getPackageName().startsWith(API))
                    .map(ArchitectureTest::outermost)
                    .forEach(targets::add);
        }
        Map<String, Set<String>> reached = new TreeMap<>();
        references.keySet().forEach(name -> reached.put(name, reachedFrom(name, references)));
        Set<Set<String>> cycles = new HashSet<>();
        for (String name : references.keySet()) {
            Set<String> cycle = new TreeSet<>(reached.get(name));
            cycle.removeIf(other -> !reached.getOrDefault(other, Set.of()).contains(name));
            cycle.add(name);
            cycles.add(cycle);
        }
        return cycles;
    }

    private static Set<String> reachedFrom(String name, Map<String, Set<String>> references) {
        Set<String> reached = new TreeSet<>();
        Deque<String> open = new ArrayDeque<>(List.of(name));
        while (!open.isEmpty()) {
            for (String target : references.getOrDefault(open.pop(), Set.of())) {
                if (reached.add(target)) {
                    open.push(target);
                }
            }
        }
        return reached;
    }

    private static String outermost(JavaClass type) {
        String name = type.getBaseComponentType().getName();
        int nested = name.indexOf('$');
        return nested < 0 ? name : name.substring(0, nested);
    }

    @Test
    void theLibraryNeedsNothingButSlf4jAnnotationsAndOptionallyCracAndJfr() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        API + "..",
                        "java..",
                        "org.slf4j..",
                        "org.crac..",
                        "jdk.jfr..",
                        "org.jspecify.annotations..",
                        "com.google.errorprone.annotations..")
                .check(LIBRARY);
    }

    /** A worker of a ForkJoinPool that waits on such a future runs other tasks, for as long as they take. */
    @Test
    void nothingWaitsOnACompletableFuture() {
        noClasses()
                .should()
                .callMethodWhere(new DescribedPredicate<JavaMethodCall>("waits on a CompletableFuture") {
                    @Override
                    public boolean test(JavaMethodCall call) {
                        return call.getTargetOwner().isAssignableTo(CompletableFuture.class)
                                && Set.of("get", "join").contains(call.getName());
                    }
                })
                .check(LIBRARY);
    }

    @Test
    void filesOfTheEngineAreSmall() {
        assertThat(sources(SOURCES.resolve("engine")))
                .allSatisfy(file -> assertThat(linesOfCode(file)).as("%s", file).isLessThanOrEqualTo(300));
    }

    /** What a backend's author reads: all but the clock of the system, which implements. */
    @Test
    void theBackendInterfaceIsSmall() {
        long lines = sources(SOURCES.resolve("spi")).stream()
                .filter(file -> !file.endsWith("SystemClock.java"))
                .mapToLong(ArchitectureTest::linesOfCode)
                .sum();
        assertThat(lines).isLessThan(470);
    }

    private static List<Path> sources(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            return files.filter(file -> file.toString().endsWith(".java")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static long linesOfCode(Path file) {
        try (Stream<String> lines = Files.lines(file)) {
            return lines.map(String::strip)
                    .filter(line -> !line.isEmpty()
                            && !line.startsWith("//")
                            && !line.startsWith("*")
                            && !line.startsWith("/*")
                            && !line.startsWith("import ")
                            && !line.startsWith("package "))
                    .count();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
