package io.github.distlock.examples;

import static com.tngtech.archunit.core.domain.JavaModifier.FINAL;
import static com.tngtech.archunit.core.domain.JavaModifier.PUBLIC;
import static com.tngtech.archunit.core.domain.JavaModifier.SYNCHRONIZED;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.fields;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.methods;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.objectweb.asm.ClassReader;
import org.objectweb.asm.ClassVisitor;
import org.objectweb.asm.MethodVisitor;
import org.objectweb.asm.Opcodes;

/** Rules for the code of the whole library: the API with its engine, and the backends. */
@ResourceLock("starts servers and processes")
class LibraryTest {
    private static final String API = "io.github.distlock";
    private static final String REDIS = API + ".redis";
    /** Exported only to the modules that connect the backend through other clients than Jedis. */
    private static final String CONNECTION = REDIS + ".connection";

    private static final String ZOOKEEPER = API + ".zookeeper";
    private static final String FENCING = API + ".fencing";
    private static final JavaClasses LIBRARY = new ClassFileImporter()
            .importPackages(API)
            .that(new DescribedPredicate<>("are not tests") {
                @Override
                public boolean test(JavaClass type) {
                    return !type.getPackageName().matches(".*\\.(tests|examples)(\\..*)?");
                }
            });

    @Test
    void backendsExportOnlyThemselvesTheirBuildersTheirFencesAndWhatACheckFinds() {
        Set<String> open = LIBRARY.stream()
                .filter(type -> type.getPackageName().equals(REDIS)
                        || type.getPackageName().equals(ZOOKEEPER))
                .filter(LibraryTest::isOpen)
                .map(JavaClass::getSimpleName)
                .collect(Collectors.toSet());
        assertEquals(
                Set.of(
                        "RedisBackend",
                        "RedisBackendBuilder",
                        "HealthFinding",
                        "Severity",
                        "Subject",
                        "RedisQuorum",
                        "RedisQuorumBuilder",
                        "RedisFence",
                        "ZooKeeperBackend",
                        "ZooKeeperBackendBuilder",
                        "ZooKeeperFence"),
                open);
    }

    /** A member of an interface counts as public, even if the interface is not. */
    private static boolean isOpen(JavaClass type) {
        return type.getModifiers().contains(PUBLIC)
                && type.getEnclosingClass().map(LibraryTest::isOpen).orElse(true);
    }

    @Test
    void backendsDependOnTheInterfaceAndTheirClientOnly() {
        classes()
                .that()
                .resideInAPackage(REDIS)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        REDIS,
                        CONNECTION,
                        FENCING,
                        API,
                        API + ".spi",
                        "java..",
                        "javax.net.ssl..",
                        "redis.clients.jedis..",
                        "org.slf4j..",
                        "org.jspecify..",
                        "com.google.errorprone.annotations..")
                .check(LIBRARY);
        classes()
                .that()
                .resideInAPackage(CONNECTION)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        CONNECTION, API + ".spi", "java..", "org.jspecify..", "com.google.errorprone.annotations..")
                .check(LIBRARY);
        classes()
                .that()
                .resideInAPackage(ZOOKEEPER)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(
                        ZOOKEEPER,
                        FENCING,
                        API,
                        API + ".spi",
                        "java..",
                        "org.apache.curator..",
                        "org.apache.zookeeper..",
                        "org.apache.jute..", // the types of ZooKeeper's requests and answers
                        "org.slf4j..",
                        "org.jspecify..",
                        "com.google.errorprone.annotations..")
                .check(LIBRARY);
    }

    /** So that another client of Redis can take the place of Jedis: see the class {@code OtherConnections}. */
    @Test
    void onlyTheConnectionsKnowJedis() {
        noClasses()
                .that()
                .resideInAPackage(REDIS)
                .and()
                .haveNameNotMatching(".*\\.("
                        + "RedisBackend|RedisBackendBuilder|RedisQuorumBuilder|RedisFence|RedisAddress|JedisCalls"
                        + "|JedisVersion|SuppliedClient|SuppliedPool|SuppliedServers|BackgroundCalls|BorrowedConnection"
                        + "|BoundedConnection|OwnConnections|OpenConnections|ConnectionConfigs|ConnectionStack"
                        + "|ConnectionSocket|SocketFile|ServerConnection|Confirmation|Node|Topology|SingleServer"
                        + "|SentinelPrimary|SwitchMessages|ClusterNodes|Inquiries)(\\$.*)?")
                .should()
                .dependOnClassesThat()
                .resideInAPackage("redis.clients..")
                .check(LIBRARY);
    }

    @Test
    void publicClassesAreFinalUnlessTheyAreExceptions() {
        classes()
                .that(new DescribedPredicate<>("are public classes") {
                    @Override
                    public boolean test(JavaClass type) {
                        return type.getModifiers().contains(PUBLIC)
                                && !type.isInterface()
                                && !type.isAssignableTo(Throwable.class);
                    }
                })
                .should()
                .haveModifier(FINAL)
                .check(LIBRARY);
    }

    @Test
    void publicFieldsAreConstants() {
        fields().that().arePublic().should().beStatic().andShould().beFinal().check(LIBRARY);
    }

    @Test
    void noCodeUsesMonitors() throws IOException {
        methods().should().notHaveModifier(SYNCHRONIZED).check(LIBRARY);
        assertEquals(List.of(), monitorUses());
    }

    /** Returns the methods with {@code synchronized} blocks, which ArchUnit does not find. */
    private static List<String> monitorUses() throws IOException {
        List<String> found = new ArrayList<>();
        for (JavaClass type : LIBRARY) {
            String file = type.getName().replace('.', '/') + ".class";
            try (var bytes = LibraryTest.class.getClassLoader().getResourceAsStream(file)) {
                new ClassReader(bytes).accept(new MonitorFinder(type.getName(), found), ClassReader.SKIP_DEBUG);
            }
        }
        return found;
    }

    private static final class MonitorFinder extends ClassVisitor {
        private final String type;
        private final List<String> found;

        MonitorFinder(String type, List<String> found) {
            super(Opcodes.ASM9);
            this.type = type;
            this.found = found;
        }

        @Override
        public MethodVisitor visitMethod(
                int access, String name, String descriptor, String signature, String[] exceptions) {
            return new MethodVisitor(Opcodes.ASM9) {
                @Override
                public void visitInsn(int opcode) {
                    if (opcode == Opcodes.MONITORENTER) {
                        found.add(type + "." + name);
                    }
                }
            };
        }
    }

    @Test
    void noCodeWaitsOnObjectsSleepsOrUsesThreadLocals() {
        noClasses()
                .should()
                .callMethod(Object.class, "wait")
                .orShould()
                .callMethod(Object.class, "wait", long.class)
                .orShould()
                .callMethod(Object.class, "notify")
                .orShould()
                .callMethod(Object.class, "notifyAll")
                .orShould()
                .callMethod(Thread.class, "sleep", long.class)
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(ThreadLocal.class)
                .check(LIBRARY);
    }

    @Test
    void threeClassesReadTheSystemsClocks() {
        noClasses()
                .that()
                .haveNameNotMatching(".*\\.spi\\.SystemClock(\\$.*)?")
                .and()
                .haveNameNotMatching(".*\\.memory\\.MovableClock(\\$.*)?")
                .and()
                .haveNameNotMatching(".*\\.fencing\\.FencingGuard")
                .should()
                .callMethod(System.class, "currentTimeMillis")
                .orShould()
                .callMethod(System.class, "nanoTime")
                .orShould()
                .callMethod(java.time.Instant.class, "now")
                .orShould()
                .dependOnClassesThat()
                .areAssignableTo(java.time.Clock.class)
                .check(LIBRARY);
    }
}
