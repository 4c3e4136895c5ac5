package io.github.distlock.spring;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What this module depends on and offers, as {@code LibraryTest} says it of the others. */
class ArchitectureTest {
    private static final JavaClasses MODULE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.github.distlock.spring");

    @Test
    void publicTypesAreThoseOfTheListOfNames() {
        assertThat(MODULE.stream()
                        .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC) && type.isTopLevelClass())
                        .map(JavaClass::getSimpleName))
                .containsExactlyInAnyOrder(
                        "DistributedLocked",
                        "EnableDistributedLocks",
                        "OnBusy",
                        "DistributedLockKeys",
                        "LockBusyException",
                        "LockedMethod",
                        "ReactiveLockedMethod",
                        "DistributedLockRegistry");
    }

    @Test
    void theModuleNeedsTheApiAndSpringAlone() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.distlock",
                        "io.github.distlock.spring",
                        "java..",
                        "org.aopalliance..",
                        "org.springframework..",
                        "org.slf4j..",
                        "org.jspecify..",
                        "org.reactivestreams..",
                        "reactor..")
                .check(MODULE);
    }

    @Test
    void noCodeUsesMonitorsThreadLocalsSleepsReadsTheSystemsClocksOrWaitsOnFutures() {
        methods().should().notHaveModifier(JavaModifier.SYNCHRONIZED).check(MODULE);
        noClasses()
                .should()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .orShould()
                .callMethod(Thread.class, "sleep", long.class)
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(CompletableFuture.class, "join")
                .orShould()
                .callMethod(CompletableFuture.class, "get")
                .check(MODULE);
    }
}
