package io.github.distlock.tests;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.time.Duration;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/**
 * Checks a rule again when it was broken while this JVM stood still for longer than the fixture's {@linkplain
 * BackendFixture#slack() slack}: bounds do not count then, and a renewed hold may rightly have ended. What was seen is
 * reported, and the last check counts in any case.
 */
final class StalledChecks implements InvocationInterceptor {
    private static final int MOST = 3;

    @Override
    public void interceptTestMethod(
            Invocation<Void> invocation, ReflectiveInvocationContext<Method> test, ExtensionContext context)
            throws Throwable {
        Rules rules = (Rules) test.getTarget().orElseThrow();
        Check check = invocation::proceed;
        for (int left = MOST - 1; !hasPassed(rules, check, left); left--) {
            rules.reopen();
            check = () -> repeat(test, rules);
        }
    }

    private interface Check {
        void run() throws Throwable;
    }

    private static boolean hasPassed(Rules rules, Check check, int left) throws Throwable {
        Stalls stalls = Stalls.fromNow();
        try {
            check.run();
            return true;
        } catch (Throwable broken) {
            Duration stall = stalls.longest();
            if (left == 0
                    || stall.compareTo(rules.store.slack()) <= 0
                    || Thread.currentThread().isInterrupted()) {
                throw broken;
            }
            rules.report("checked again", "this JVM stood still for " + stall.toMillis() + " ms, and then: " + broken);
            return false;
        }
    }

    private static void repeat(ReflectiveInvocationContext<Method> test, Rules rules) throws Throwable {
        Method method = test.getExecutable();
        method.setAccessible(true);
        try {
            method.invoke(rules, test.getArguments().toArray());
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }
}
