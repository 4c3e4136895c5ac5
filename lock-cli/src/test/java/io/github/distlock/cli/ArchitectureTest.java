package io.github.distlock.cli;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaModifier;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import org.junit.jupiter.api.Test;

/** What the command line depends on. */
class ArchitectureTest {
    private static final JavaClasses MODULE = new ClassFileImporter()
            .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
            .importPackages("io.github.distlock.cli");

    @Test
    void onlyTheProgramIsPublic() {
        classes()
                .that()
                .arePublic()
                .and()
                .areTopLevelClasses()
                .should()
                .be(Distlock.class)
                .check(MODULE);
    }

    @Test
    void theVerbsUseWhatApplicationsUse() {
        classes()
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        "io.github.distlock",
                        "io.github.distlock.spi",
                        "io.github.distlock.redis",
                        "io.github.distlock.zookeeper",
                        "io.github.distlock.cli",
                        "java..",
                        "picocli",
                        "org.jspecify..")
                .check(MODULE);
    }

    @Test
    void onlyTheMainMethodEndsTheProcess() {
        noClasses()
                .that()
                .doNotBelongToAnyOf(Distlock.class)
                .should()
                .callMethod(System.class, "exit", int.class)
                .check(MODULE);
    }

    @Test
    void noCodeUsesMonitorsOrReadsTheWallClockForAWait() {
        methods().should().notHaveModifier(JavaModifier.SYNCHRONIZED).check(MODULE);
        noClasses().should().callMethod(System.class, "currentTimeMillis").check(MODULE);
    }
}
