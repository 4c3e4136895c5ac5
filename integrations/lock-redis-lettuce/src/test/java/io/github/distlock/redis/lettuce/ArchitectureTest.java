package io.github.distlock.redis.lettuce;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

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
            .importPackages("io.github.distlock.redis.lettuce");

    @Test
    void oneClassIsPublic() {
        classes()
                .that()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .should()
                .haveSimpleName("LettuceRedis")
                .andShould()
                .haveModifier(JavaModifier.FINAL)
                .check(MODULE);
    }

    @Test
    void theModuleNeedsTheBackendAndLettuceAlone() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.distlock.redis",
                        "io.github.distlock.redis.connection",
                        "io.github.distlock.redis.lettuce",
                        "io.github.distlock.spi",
                        "java..",
                        "io.lettuce.core..",
                        "org.jspecify..",
                        "com.google.errorprone.annotations..")
                .check(MODULE);
    }

    @Test
    void noCodeUsesMonitorsSleepsReadsTheSystemsClocksOrWaitsOnFutures() {
        methods().should().notHaveModifier(JavaModifier.SYNCHRONIZED).check(MODULE);
        noClasses()
                .should()
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
