package io.github.distlock.tests.servers;

import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.junit.platform.engine.TestExecutionResult;
import org.junit.platform.engine.discovery.DiscoverySelectors;
import org.junit.platform.launcher.LauncherDiscoveryRequest;
import org.junit.platform.launcher.TestExecutionListener;
import org.junit.platform.launcher.TestIdentifier;
import org.junit.platform.launcher.core.LauncherDiscoveryRequestBuilder;
import org.junit.platform.launcher.core.LauncherFactory;

/**
 * Checks a test again if it failed on a stalled or starved machine, where time bounds are meaningless and a client
 * cannot renew its holds. The extension checks a test again if its JVM stood still for more than half a second, or if
 * processes waited for a CPU during most of the test. It runs the test up to two more times, each time from the
 * beginning on a new instance; the last run counts. For each of these runs it prints a line that contains {@code
 * checked again}.
 *
 * <p>JUnit registers this extension automatically if {@code junit.jupiter.extensions.autodetection.enabled} is true.
 * The extension does nothing if the configuration parameter {@link #PARAMETER} is {@code false}.
 */
public final class StarvationExtension
        implements BeforeEachCallback, TestExecutionExceptionHandler, LifecycleMethodExecutionExceptionHandler {
    /** The JUnit configuration parameter that disables the extension. */
    public static final String PARAMETER = "lock.check-again";

    private static final int MOST_REPEATS = 2;
    private static final Namespace NAMESPACE = Namespace.create(StarvationExtension.class);

    /** Creates the extension. JUnit calls this. */
    public StarvationExtension() {}

    @Override
    public void beforeEach(ExtensionContext test) {
        test.getStore(NAMESPACE).put(Starvation.class, Starvation.fromNow());
    }

    @Override
    public void handleTestExecutionException(ExtensionContext test, Throwable failure) throws Throwable {
        checkAgain(test, failure);
    }

    @Override
    public void handleAfterEachMethodExecutionException(ExtensionContext test, Throwable failure) throws Throwable {
        checkAgain(test, failure);
    }

    private static void checkAgain(ExtensionContext test, Throwable first) throws Throwable {
        boolean wanted =
                test.getConfigurationParameter(PARAMETER, Boolean::parseBoolean).orElse(true);
        Throwable failure = first;
        Starvation starvation =
                Objects.requireNonNull(test.getStore(NAMESPACE).get(Starvation.class, Starvation.class));
        for (int left = wanted ? MOST_REPEATS : 0; left > 0; left--) {
            Optional<String> reason = starvation.seen();
            if (reason.isEmpty() || Thread.currentThread().isInterrupted()) {
                break;
            }
            System.out.println(name(test) + ": checked again: " + reason.get() + ", and then: " + failure);
            starvation = Starvation.fromNow();
            Throwable again = failureOf(test);
            if (again == null) {
                return;
            }
            failure = again;
        }
        throw failure;
    }

    private static String name(ExtensionContext test) {
        return test.getRequiredTestClass().getSimpleName() + ": " + test.getDisplayName();
    }

    /** Runs the test from its beginning on this thread, and returns its failure. */
    private static @Nullable Throwable failureOf(ExtensionContext test) {
        LauncherDiscoveryRequest request = LauncherDiscoveryRequestBuilder.request()
                .selectors(DiscoverySelectors.selectUniqueId(test.getUniqueId()))
                .configurationParameter(PARAMETER, "false")
                .configurationParameter("junit.jupiter.execution.parallel.enabled", "false")
                .build();
        Outcome outcome = new Outcome();
        LauncherFactory.create().execute(request, outcome);
        return outcome.tests.get() > 0 ? outcome.failure : new IllegalStateException("not found again: " + name(test));
    }

    private static final class Outcome implements TestExecutionListener {
        private final AtomicInteger tests = new AtomicInteger();
        private volatile @Nullable Throwable failure;

        @Override
        public void executionFinished(TestIdentifier test, TestExecutionResult result) {
            if (test.isTest()) {
                tests.incrementAndGet();
            }
            result.getThrowable().ifPresent(thrown -> failure = thrown);
        }
    }
}
