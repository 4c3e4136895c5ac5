package io.github.distlock.spring.boot.test;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import org.springframework.context.ApplicationContext;
import org.springframework.test.context.TestContext;
import org.springframework.test.context.TestContextAnnotationUtils;
import org.springframework.test.context.TestExecutionListener;

/** Resets the store after each test, because tests share their application context. */
final class ResetListener implements TestExecutionListener {
    private static final int ALL = 100_000;

    @Override
    public void afterTestMethod(TestContext test) {
        if (TestContextAnnotationUtils.hasAnnotation(test.getTestClass(), AutoConfigureInMemoryLocks.class)
                && test.hasApplicationContext()) {
            ApplicationContext context = test.getApplicationContext();
            context.getBean(InMemoryBackend.class).resume();
            InMemoryStore store = context.getBean(InMemoryStore.class);
            context.getBean("otherLockClient", LockClient.class)
                    .inspector()
                    .list("", ALL)
                    .forEach(store::lose);
        }
    }
}
