package io.github.distlock.spring;

import static io.github.distlock.spring.StartUpTest.failure;
import static java.util.concurrent.TimeUnit.SECONDS;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import java.io.File;
import java.lang.reflect.Method;
import java.net.MalformedURLException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.springframework.aop.framework.AopProxyUtils;

/** A {@code suspend} function and a {@code Flow} hold the lock until they have completed. */
class CoroutinesTest {
    private final Application application =
            Application.over(new InMemoryStore()).start(Coroutines.class);
    private final Coroutines proxy = application.bean(Coroutines.class);
    /** Its functions without locks are final, as is the default of Kotlin, so a proxy does not pass them on. */
    private final Coroutines coroutines = (Coroutines) AopProxyUtils.getSingletonTarget(proxy);

    @BeforeEach
    void setProxy() {
        coroutines.setSelf(proxy);
    }

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    private boolean isBusy(String name) {
        return application.isHeld(name);
    }

    private void holdsWhileItRuns(String name, Function<CompletableFuture<?>, CompletableFuture<?>> start)
            throws Exception {
        CompletableFuture<Void> pause = new CompletableFuture<>();
        CompletableFuture<?> running = start.apply(pause);
        Waiting.until(() -> isBusy(name) && pause.getNumberOfDependents() > 0);

        assertThat(isBusy(name)).isTrue();
        pause.complete(null);
        running.get(30, SECONDS);

        assertThat(isBusy(name)).isFalse();
    }

    @Test
    void aSuspendFunctionHoldsTheLockWhileItIsSuspended() throws Exception {
        holdsWhileItRuns("coroutine/1", pause -> coroutines.runSuspending("1", pause));
    }

    @Test
    void aFlowHoldsTheLockUntilItsEnd() throws Exception {
        holdsWhileItRuns("coroutine/flow", coroutines::runFlow);
        holdsWhileItRuns("coroutine/flow", coroutines::runSuspendingFlow);
    }

    @Test
    void aSuspendFunctionInsideJoins() throws Exception {
        List<Long> tokens = coroutines.runSuspending("1", null).get(30, SECONDS);

        assertThat(tokens).hasSize(2).containsOnly(tokens.get(0));
    }

    @Test
    void aSuspendFunctionGetsItsHoldAsAParameter() throws Exception {
        assertThat(coroutines.runHandle().get(30, SECONDS)).isPositive();
    }

    @Test
    void aBusyLockThrowsSkipsOrFallsBack() throws Exception {
        try (LockHandle held = application
                .other
                .allOf(List.of("coroutine/1", "coroutine/skip", "coroutine/fallback"))
                .acquireUninterruptibly()) {
            assertThatThrownBy(() -> coroutines.runSuspending("1", null).get(30, SECONDS))
                    .hasCauseInstanceOf(LockBusyException.class);
            assertThat(coroutines.runSkipped().get(30, SECONDS)).isNull();
            assertThat(coroutines.runFalling("1").get(30, SECONDS)).isEqualTo("instead of 1");
        }
        assertThat(coroutines.runSkipped().get(30, SECONDS)).isEqualTo("ran");
    }

    @Test
    void whatAProxyCannotSeeFailsAtStartUpWithTheRemedyOfKotlin() {
        assertThat(failure(FinalByDefault.class))
                .contains("FinalByDefault.run(): its class is final and has no interface")
                .contains("compiler plug-in \"spring\"");
        assertThat(failure(FinalFunction.class))
                .contains("FinalFunction.run(): a proxy cannot see a final method")
                .contains("compiler plug-in \"spring\"");
        assertThat(failure(PrimitiveSkip.class)).contains("PrimitiveSkip.run(Continuation): onBusy = SKIP has nothing");
    }

    @Test
    void aSuspendFunctionWhoseValueOutlivesItFailsAtStartUp() {
        assertThat(failure(LaterSequence.class)).contains("returns Sequence, whose work would go on without the lock");
    }

    /** Class loaders of their own, because the presence of libraries is looked up once. */
    @Test
    void aSuspendFunctionWithoutTheReactorModuleOfCoroutinesFailsAtStartUp() throws Exception {
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader classes = withoutReactorModuleOfCoroutines()) {
            thread.setContextClassLoader(classes);
            Method failure = classes.loadClass(StartUpTest.class.getName()).getDeclaredMethod("failure", Class[].class);
            failure.setAccessible(true);
            Class<?>[] beans = {classes.loadClass(Suspending.class.getName())};

            assertThat(failure.invoke(null, (Object) beans))
                    .isEqualTo("@DistributedLocked on " + Suspending.class.getName() + ".run(Continuation): suspend"
                            + " functions need kotlinx-coroutines-reactor on the class path");
        } finally {
            thread.setContextClassLoader(before);
        }
        Application.of(Suspending.class).close();
    }

    private static URLClassLoader withoutReactorModuleOfCoroutines() {
        URL[] classPath = Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
                .filter(entry -> !entry.contains("kotlinx-coroutines-reactor"))
                .map(CoroutinesTest::url)
                .toArray(URL[]::new);
        return new URLClassLoader(classPath, ClassLoader.getPlatformClassLoader());
    }

    private static URL url(String file) {
        try {
            return Path.of(file).toUri().toURL();
        } catch (MalformedURLException e) {
            throw new IllegalArgumentException(e);
        }
    }
}
