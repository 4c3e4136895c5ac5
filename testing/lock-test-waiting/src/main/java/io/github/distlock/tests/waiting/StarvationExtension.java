package io.github.distlock.tests.waiting;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;

/**
 * Lets a test be checked again only if it failed while this machine did not let it run: bounds mean nothing then, and a
 * hold that nothing could renew has rightly ended. That is so if the JVM stood still for more than half a second, or if
 * processes waited for a CPU during most of the test.
 *
 * <p>Surefire repeats failed tests once all others have ended, if {@code rerunFailingTestsCount} says so. This
 * extension reports each repetition in a line of the standard output that contains {@code checked again}. It fails the
 * repetition of a test that failed on a machine that ran well, without running it.
 *
 * <p>JUnit finds this extension by itself if {@code junit.jupiter.extensions.autodetection.enabled} is true. It does
 * nothing if the configuration parameter {@link #PARAMETER} is {@code false}.
 */
public final class StarvationExtension
        implements BeforeEachCallback, TestExecutionExceptionHandler, LifecycleMethodExecutionExceptionHandler {
    /** The JUnit configuration parameter that switches the extension off. */
    public static final String PARAMETER = "lock.check-again";

    private static final Namespace NAMESPACE = Namespace.create(StarvationExtension.class);
    private static final String RAN_WELL = "";
    /** Why each failed test may be checked again, by its unique id. */
    private static final Map<String, String> FAILED = new ConcurrentHashMap<>();

    /** For JUnit. */
    public StarvationExtension() {}

    @Override
    public void beforeEach(ExtensionContext test) {
        if (isOff(test)) {
            return;
        }
        String reason = FAILED.get(test.getUniqueId());
        if (RAN_WELL.equals(reason)) {
            throw new AssertionError("not checked again: it failed on a machine that let it run");
        }
        if (reason != null) {
            System.out.println(name(test) + ": checked again: " + reason);
        }
        test.getStore(NAMESPACE).put(Starvation.class, Starvation.fromNow());
    }

    private static boolean isOff(ExtensionContext test) {
        return !test.getConfigurationParameter(PARAMETER, Boolean::parseBoolean).orElse(true);
    }

    private static String name(ExtensionContext test) {
        return test.getRequiredTestClass().getSimpleName() + ": " + test.getDisplayName();
    }

    @Override
    public void handleTestExecutionException(ExtensionContext test, Throwable failure) throws Throwable {
        note(test, failure);
        throw failure;
    }

    @Override
    public void handleBeforeEachMethodExecutionException(ExtensionContext test, Throwable failure) throws Throwable {
        note(test, failure);
        throw failure;
    }

    @Override
    public void handleAfterEachMethodExecutionException(ExtensionContext test, Throwable failure) throws Throwable {
        note(test, failure);
        throw failure;
    }

    private static void note(ExtensionContext test, Throwable failure) {
        Starvation starvation = test.getStore(NAMESPACE).get(Starvation.class, Starvation.class);
        if (starvation != null) {
            String reason = starvation
                    .seen()
                    .map(seen -> seen + ", and then: " + failure)
                    .orElse(RAN_WELL);
            FAILED.put(test.getUniqueId(), reason);
        }
    }
}
