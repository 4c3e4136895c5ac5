package io.github.distlock.tests;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.InvocationInterceptor;
import org.junit.jupiter.api.extension.ReflectiveInvocationContext;

/**
 * Checks a rule again when it was broken while this JVM stood still for longer than the fixture's {@linkplain
 * BackendFixture#slack() slack}: bounds do not count then, and a renewed hold may rightly have ended. What was seen is
 * reported.
 */
final class StalledChecks implements InvocationInterceptor {
    @Override
    public void interceptTestMethod(
            Invocation<@Nullable Void> invocation, ReflectiveInvocationContext<Method> test, ExtensionContext context)
            throws Throwable {
        Rules rules = (Rules) test.getTarget().orElseThrow();
        Stalls.Check check = new Stalls.Check() {
            private boolean repeated;

            @Override
            public void run() throws Throwable {
                if (repeated) {
                    rules.reopen();
                    repeat(test, rules);
                } else {
                    repeated = true;
                    invocation.proceed();
                }
            }
        };
        Stalls.check(
                rules.store.slack(),
                check,
                (stall, broken) -> rules.report(
                        "checked again", "this JVM stood still for " + stall.toMillis() + " ms, and then: " + broken));
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
