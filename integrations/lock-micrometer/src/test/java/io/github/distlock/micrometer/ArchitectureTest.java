package io.github.distlock.micrometer;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What this module depends on and offers, as {@code LibraryTest} says it of the others. */
class ArchitectureTest {
    private static final JavaClasses MODULE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.github.distlock.micrometer");

    @Test
    void theMetricsAndTheirBuilderArePublic() {
        classes()
                .that()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .should()
                .haveNameMatching(".*\\.LockMetrics(Builder)?")
                .andShould()
                .haveModifier(JavaModifier.FINAL)
                .check(MODULE);
    }

    @Test
    void theModuleNeedsTheApiMicrometerAndSlf4jAlone() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.distlock",
                        "io.github.distlock.micrometer",
                        "java..",
                        "io.micrometer.common..",
                        "io.micrometer.core.instrument",
                        "io.micrometer.observation",
                        "org.slf4j..",
                        "org.jspecify..",
                        "com.google.errorprone.annotations..")
                .check(MODULE);
    }

    @Test
    void noCodeUsesMonitorsSleepsOrReadsTheSystemsClocks() {
        methods().should().notHaveModifier(JavaModifier.SYNCHRONIZED).check(MODULE);
        noClasses()
                .should()
                .callMethod(Thread.class, "sleep", long.class)
                .orShould()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .check(MODULE);
    }
}
