package io.github.distlock.tests.waiting;

import java.lang.reflect.Method;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/**
 * Interrupts the threads of tests that hang. The system property {@code lock.longest-test} says after how many
 * milliseconds; without it, this does nothing. It is for mutation runs: PIT ends the JVM of a test that hangs. Before
 * the next JVM goes on, it runs all tests of its classes once, because PIT finds the invocations of parameterized tests
 * in no other way. A test that is interrupted just fails.
 *
 * <p>JUnit finds this extension as it finds {@link StarvationExtension}.
 */
public final class HangExtension implements InvocationInterceptor {
    private static final @Nullable Long LONGEST = Long.getLong("lock.longest-test");

    private static final ScheduledExecutorService WATCH = Executors.newSingleThreadScheduledExecutor(task -> {
        Thread thread = new Thread(task, "watch for tests that hang");
        thread.setDaemon(true);
        return thread;
    });

    /** For JUnit. */
    public HangExtension() {}

    @Override
    public void interceptTestMethod(
            Invocation<@Nullable Void> test, ReflectiveInvocationContext<Method> invocation, ExtensionContext context)
            throws Throwable {
        run(test, LONGEST);
    }

    @Override
    public void interceptTestTemplateMethod(
            Invocation<@Nullable Void> test, ReflectiveInvocationContext<Method> invocation, ExtensionContext context)
            throws Throwable {
        run(test, LONGEST);
    }

    /** Runs a test, and interrupts its thread after so many milliseconds, or never if {@code longest} is null. */
    static void run(Invocation<@Nullable Void> test, @Nullable Long longest) throws Throwable {
        if (longest == null) {
            test.proceed();
            return;
        }
        Future<?> end = WATCH.schedule(Thread.currentThread()::interrupt, longest, TimeUnit.MILLISECONDS);
        try {
            test.proceed();
        } finally {
            end.cancel(false);
            Thread.interrupted();
        }
    }
}
