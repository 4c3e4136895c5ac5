package io.github.distlock;

import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules about the code itself. Byte code where the rule is about what runs, sources where it is about what is read. */
class ArchitectureTest {
    private static final String API = "io.github.distlock";
    private static final Path SOURCES = Path.of("src/main/java/io/github/distlock");
    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .withImportOption(new ImportOption.DoNotIncludeTests())
            .withImportOption(location -> !location.contains("/distlock/tests/"))
            .importPackages(API);

    private static final Set<String> PUBLIC_API = Set.of(
            "DistributedLock",
            "LockClient",
            "LockClientBuilder",
            "LockEvent",
            "LockException",
            "LockHandle",
            "LockHandle$Release",
            "LockHandle$State",
            "LockInspector",
            "LockListener",
            "LockLoss",
            "LockLostException",
            "LockOptions",
            "LockOwner",
            "LockStatus",
            "LockStatus$Holder",
            "LockedAction",
            "LockedCall",
            "LossReason");

    @Test
    void theEngineIsPackagePrivate() {
        Set<String> open = LIBRARY.stream()
                .filter(type -> type.getPackageName().equals(API))
                .filter(type -> type.getModifiers().contains(PUBLIC))
                .map(type -> type.getName().substring(API.length() + 1))
                .collect(Collectors.toSet());
        assertThat(open).isEqualTo(PUBLIC_API);
    }

    /** An {@code Instant} made for people to read is no arithmetic: the hold's loss, and the store's view of a holder. */
    @Test
    void oneClassReckonsWithTheWallClock() {
        noClasses()
                .that()
                .doNotHaveFullyQualifiedName(API + ".Expiry")
                .should()
                .callMethod(Moment.class, "wallMillis")
                .check(LIBRARY);
        noClasses()
                .that()
                .haveNameNotMatching(".*\\.(Hold|LockTable|LockClock|MovableClock)")
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
                                || (type.getPackageName().equals(API)
                                        && !type.getModifiers().contains(PUBLIC));
                    }
                })
                .check(LIBRARY);
        noClasses()
                .that()
                .resideInAPackage(API)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(API + ".memory")
                .check(LIBRARY);
    }

    @Test
    void theLibraryNeedsNothingButSlf4jAndAnnotations() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        API + "..",
                        "java..",
                        "org.slf4j..",
                        "org.jspecify.annotations..",
                        "com.google.errorprone.annotations..")
                .check(LIBRARY);
    }

    @Test
    void filesOfTheEngineAreSmall() {
        assertThat(sources(SOURCES))
                .allSatisfy(file -> assertThat(linesOfCode(file)).as("%s", file).isLessThanOrEqualTo(275));
    }

    /** What a backend's author reads: all but the clock of the system, which implements. */
    @Test
    void theBackendInterfaceIsSmall() {
        long lines = sources(SOURCES.resolve("spi")).stream()
                .filter(file -> !file.endsWith("SystemClock.java"))
                .mapToLong(ArchitectureTest::linesOfCode)
                .sum();
        assertThat(lines).isLessThan(180);
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
