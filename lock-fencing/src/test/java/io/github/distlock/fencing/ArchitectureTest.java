package io.github.distlock.fencing;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** What this module depends on and offers, as {@code LibraryTest} says it of the others. */
class ArchitectureTest {
    private static final JavaClasses MODULE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.github.distlock.fencing");

    @Test
    void thePackageHasOnlyWhatAReceiverUses() {
        Set<String> open = MODULE.stream()
                .filter(type -> type.getModifiers().contains(JavaModifier.PUBLIC))
                .map(JavaClass::getSimpleName)
                .collect(Collectors.toSet());

        assertThat(open)
                .containsExactlyInAnyOrder(
                        "FencingGuard", "FencingGuardFullException", "FencingToken", "SqlFence", "StaleTokenException");
    }

    @Test
    void theModuleNeedsNothingButAnnotations() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage("io.github.distlock.fencing", "java..", "org.jspecify.annotations..")
                .check(MODULE);
    }

    /** So that a module without {@code java.sql} can have the rest. */
    @Test
    void oneClassNeedsSql() {
        noClasses()
                .that()
                .doNotHaveSimpleName("SqlFence")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("java.sql..")
                .check(MODULE);
    }

    @Test
    void noCodeUsesMonitorsOrSleeps() {
        methods().should().notHaveModifier(JavaModifier.SYNCHRONIZED).check(MODULE);
        noClasses().should().callMethod(Thread.class, "sleep", long.class).check(MODULE);
    }
}
