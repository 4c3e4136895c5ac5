package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.spi.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.springframework.aop.framework.Advised;
import org.springframework.beans.factory.FactoryBean;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.PriorityOrdered;

/** Mistakes with the annotation fail at start-up, with the method and the remedy. */
@SuppressWarnings("UnusedMethod") // some are called by their names
class StartUpTest {

    static String failure(Class<?>... beans) {
        Throwable thrown = catchThrowable(() -> Application.of(beans).close());
        assertThat(thrown).as("no failure at start-up").isNotNull();
        return String.valueOf(NestedExceptionUtils.getMostSpecificCause(thrown).getMessage());
    }

    private static String on(String method, String problem) {
        return "@DistributedLocked on " + StartUpTest.class.getName() + "$" + method + ": " + problem;
    }

    static class NumberSign {
        @DistributedLocked(key = "#id")
        public void run(String id) {}
    }

    @Test
    void aNumberSignOutsideOfAnExpression() {
        assertThat(failure(NumberSign.class))
                .isEqualTo(on(
                        "NumberSign.run(String)",
                        "key \"#id\" has a # outside of #{…}, which would be the same lock for all calls;"
                                + " write #{#id}"));
    }

    static class Blank {
        @DistributedLocked(key = " ")
        public void run() {}
    }

    static class NoKey {
        @DistributedLocked(key = {})
        public void run() {}
    }

    @Test
    void aKeyThatIsBlankOrMissing() {
        assertThat(failure(Blank.class)).isEqualTo(on("Blank.run()", "key is blank"));
        assertThat(failure(NoKey.class)).isEqualTo(on("NoKey.run()", "key is missing"));
    }

    static class Unclosed {
        @DistributedLocked(key = "orders/#{#id")
        public void run(String id) {}
    }

    @Test
    void aKeyThatSpelCannotRead() {
        assertThat(failure(Unclosed.class))
                .startsWith(on("Unclosed.run(String)", "key \"orders/#{#id\" is not valid: "));
    }

    static class UnknownParameter {
        @DistributedLocked(key = "orders/#{#order.id}")
        public void run(String id) {}
    }

    @Test
    void aParameterThatTheMethodDoesNotHave() {
        assertThat(failure(UnknownParameter.class))
                .isEqualTo(on(
                        "UnknownParameter.run(String)",
                        "key \"orders/#{#order.id}\" uses #order, but the method has the parameters [id]"));
    }

    @Test
    void parametersWithoutNames(@TempDir Path directory) throws Exception {
        Path source = Files.writeString(directory.resolve("Nameless.java"), """
                public class Nameless {
                    @io.github.distlock.spring.DistributedLocked(key = "orders/#{#id}")
                    public void run(String id) {}
                }
                """);
        String classPath = System.getProperty("java.class.path");
        int compiled = ToolProvider.findFirst("javac")
                .orElseThrow()
                .run(System.out, System.err, "-proc:none", "-cp", classPath, "-d", directory + "", source + "");
        assertThat(compiled).isZero();
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader classes = new URLClassLoader(
                new URL[] {directory.toUri().toURL()}, getClass().getClassLoader())) {
            thread.setContextClassLoader(classes);
            assertThat(failure(classes.loadClass("Nameless")))
                    .isEqualTo("@DistributedLocked on Nameless.run(String): key \"orders/#{#id}\" uses #id, but its"
                            + " class was compiled without the names of parameters; compile it with -parameters,"
                            + " or write #p0 for the first parameter");
        } finally {
            thread.setContextClassLoader(before);
        }
    }

    static class Placeholder {
        @DistributedLocked(key = "orders/${no.such.property}")
        public void run() {}
    }

    @Test
    void aPlaceholderWithoutAValue() {
        assertThat(failure(Placeholder.class))
                .isEqualTo(on(
                        "Placeholder.run()", "the placeholder in key = \"orders/${no.such.property}\" has no value"));
    }

    static class BadDuration {
        @DistributedLocked(key = "k", maxWait = "forever")
        public void run() {}
    }

    static class Negative {
        @DistributedLocked(key = "k", maxWait = "-1s")
        public void run() {}
    }

    static class BadFlag {
        @DistributedLocked(key = "k", fair = "yes")
        public void run() {}
    }

    @Test
    void aTextThatIsNoDurationOrFlag() {
        assertThat(failure(BadDuration.class))
                .isEqualTo(on(
                        "BadDuration.run()", "maxWait = \"forever\" is not a duration; write for example 5s or PT5S"));
        assertThat(failure(Negative.class)).isEqualTo(on("Negative.run()", "maxWait = \"-1s\" is negative"));
        assertThat(failure(BadFlag.class)).isEqualTo(on("BadFlag.run()", "fair = \"yes\" must be true or false"));
    }

    static class TwoLeases {
        @DistributedLocked(key = "k", lease = "10s", fixedLease = "20s")
        public void run() {}
    }

    static class BadOptions {
        @DistributedLocked(key = "k", minimumHold = "2m", maximumHold = "1m")
        public void run() {}
    }

    static class MinimumRead {
        @DistributedLocked(key = "k", minimumHold = "2m", mode = DistributedLocked.Mode.READ)
        public void run() {}
    }

    @Test
    void optionsThatExcludeEachOther() {
        assertThat(failure(TwoLeases.class))
                .isEqualTo(on("TwoLeases.run()", "lease and fixedLease exclude each other"));
        assertThat(failure(BadOptions.class))
                .isEqualTo(on(
                        "BadOptions.run()",
                        "minimumHold must not be longer than maximumHold, but was PT2M, and maximumHold was PT1M"));
        assertThat(failure(MinimumRead.class)).startsWith(on("MinimumRead.run()", "the store cannot do this: "));
    }

    static class TwoReadKeys {
        @DistributedLocked(
                key = {"k", "l"},
                mode = DistributedLocked.Mode.READ)
        public void run() {}
    }

    @Test
    void severalKeysOfAReadWriteLock() {
        assertThat(failure(TwoReadKeys.class))
                .isEqualTo(on("TwoReadKeys.run()", "several keys need mode EXCLUSIVE, and this is READ"));
    }

    static class UnknownClient {
        @DistributedLocked(key = "k", client = "nobody")
        public void run() {}
    }

    @Test
    void aClientThatDoesNotExist() {
        assertThat(failure(UnknownClient.class))
                .isEqualTo(on(
                        "UnknownClient.run()", "there is no such LockClient bean: No bean named 'nobody' available"));
    }

    static class PrimitiveSkip {
        @DistributedLocked(key = "k", onBusy = OnBusy.SKIP)
        public int run() {
            return 1;
        }
    }

    @Test
    void aPrimitiveReturnTypeThatIsSkipped() {
        assertThat(failure(PrimitiveSkip.class))
                .isEqualTo(on(
                        "PrimitiveSkip.run()",
                        "onBusy = SKIP has nothing to return as int; return Integer, which can be null, or an"
                                + " Optional"));
    }

    static class NoFallback {
        @DistributedLocked(key = "k", onBusy = OnBusy.FALLBACK)
        public void run() {}
    }

    static class WrongFallback {
        @DistributedLocked(key = "k", onBusy = OnBusy.FALLBACK, fallback = "other")
        public String run(String id) {
            return id;
        }

        String other() {
            return "";
        }
    }

    static class FallbackWithAnotherType {
        @DistributedLocked(key = "k", onBusy = OnBusy.FALLBACK, fallback = "other")
        public String run(String id) {
            return id;
        }

        Object other(String id) {
            return id;
        }
    }

    static class LockedFallback {
        @DistributedLocked(key = "k", onBusy = OnBusy.FALLBACK, fallback = "other")
        public void run() {}

        @DistributedLocked(key = "l")
        public void other() {}
    }

    @Test
    void aFallbackThatDoesNotFit() {
        assertThat(failure(NoFallback.class))
                .isEqualTo(on("NoFallback.run()", "onBusy = FALLBACK and fallback = \"<method>\" need each other"));
        assertThat(failure(WrongFallback.class))
                .isEqualTo(on(
                        "WrongFallback.run(String)", "there is no fallback method \"other\" with the same parameters"));
        assertThat(failure(FallbackWithAnotherType.class))
                .isEqualTo(on(
                        "FallbackWithAnotherType.run(String)",
                        "its fallback method \"other\" returns Object instead of String"));
        assertThat(failure(LockedFallback.class))
                .isEqualTo(on(
                        "LockedFallback.run()",
                        "its fallback method \"other\" has a lock, which this call would not take"));
    }

    @Retention(RetentionPolicy.RUNTIME)
    @DistributedLocked(key = "nightly")
    @interface Nightly {}

    static class Twice {
        @Nightly
        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Test
    void twoAnnotations() {
        assertThat(failure(Twice.class))
                .isEqualTo(on(
                        "Twice.run()", "there are two, which would have two orders; give one annotation several keys"));
    }

    static class PrivateMethod {
        @DistributedLocked(key = "k")
        private void run() {}
    }

    static class StaticMethod {
        @DistributedLocked(key = "k")
        static void run() {}
    }

    static class FinalMethod {
        @DistributedLocked(key = "k")
        public final void run() {}
    }

    static final class FinalClass {
        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Test
    void whatAProxyCannotSee() {
        String problem = " method, so it would run without the lock; ";
        assertThat(failure(PrivateMethod.class))
                .isEqualTo(on(
                        "PrivateMethod.run()",
                        "a proxy cannot see a private" + problem + "make it a public method of the bean"));
        assertThat(failure(StaticMethod.class))
                .isEqualTo(on(
                        "StaticMethod.run()",
                        "a proxy cannot see a static" + problem + "make it a public method of the bean"));
        assertThat(failure(FinalMethod.class))
                .isEqualTo(on(
                        "FinalMethod.run()",
                        "a proxy cannot see a final" + problem
                                + "do not make it final (in Kotlin: open it, or use the compiler plug-in"
                                + " \"spring\")"));
        assertThat(failure(FinalClass.class))
                .isEqualTo(on(
                        "FinalClass.run()",
                        "its class is final and has no interface, so it can have no proxy; do not make it final"
                                + " (in Kotlin: open it, or use the compiler plug-in \"spring\")"));
    }

    interface Service {
        void other();
    }

    static class BehindInterface implements Service {
        @Override
        public void other() {}

        @DistributedLocked(key = "k")
        public void run() {}
    }

    @Lazy
    static class LazyFinal implements Service {
        @Override
        @DistributedLocked(key = "k")
        public final void other() {}
    }

    @Test
    void aFinalMethodOfABeanThatIsCreatedLater() {
        assertThat(failure(LazyFinal.class)).contains("LazyFinal.other(): a proxy cannot see a final method");
    }

    static class Product {
        @DistributedLocked(key = "k")
        public void run() {}
    }

    static class Factory implements FactoryBean<Product> {
        @Override
        public Product getObject() {
            return new Product();
        }

        @Override
        public Class<?> getObjectType() {
            return Product.class;
        }
    }

    @Test
    void theProductOfAFactoryHasAProxy() {
        try (Application application = Application.of(Factory.class)) {
            assertThat(application.bean(Product.class)).isInstanceOf(Advised.class);
        }
    }

    @DistributedLocked(key = "k")
    interface LockedInterface {
        void run();
    }

    static class OfLockedInterface implements LockedInterface {
        @Override
        public void run() {}
    }

    @Test
    void whatAnInterfaceHides() {
        assertThat(failure(BehindInterface.class))
                .isEqualTo(on(
                        "BehindInterface.run()",
                        "the bean \"startUpTest.BehindInterface\" is a proxy of its interfaces, which do not have this"
                                + " method; add it to one, or use @EnableDistributedLocks(proxyTargetClass = true)"));
        assertThat(failure(OfLockedInterface.class))
                .isEqualTo("@DistributedLocked on the interface " + LockedInterface.class.getName()
                        + " has no effect; put it on the methods of the interface, or on "
                        + OfLockedInterface.class.getName());
    }

    static class Early {
        @DistributedLocked(key = "k")
        public void run() {}
    }

    static class Processor implements BeanPostProcessor, PriorityOrdered {
        @Override
        public int getOrder() {
            return 0;
        }
    }

    @Configuration(proxyBeanMethods = false)
    static class OfProcessor {
        @Bean
        static Processor processor(Early early) {
            return new Processor();
        }
    }

    @Test
    void aBeanThatWasCreatedTooEarlyForAProxy() {
        assertThat(failure(OfProcessor.class, Early.class))
                .isEqualTo(on(
                        "Early.run()",
                        "the bean \"startUpTest.Early\" has no proxy, so it would run without the lock. The bean was"
                                + " created too early: do not inject it into a BeanPostProcessor or a"
                                + " BeanFactoryPostProcessor, and make @Bean methods of these static"));
    }

    @Lazy
    static class LazyBean extends NumberSign {}

    @Test
    void aMistakeInALazyBean() {
        assertThat(failure(LazyBean.class)).contains("write #{#id}");
    }
}
