package io.github.distlock.tests;

import io.github.distlock.tests.servers.Server;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** One server for all tests of a class that hurt it: started by the first, ended after the last. */
final class OwnServer implements BeforeEachCallback {
    private @Nullable ExtensionContext testClass;

    @Override
    public void beforeEach(ExtensionContext test) {
        testClass = test.getParent().orElseThrow();
    }

    Server startedBy(ServerFixture<?> fixture) {
        if (testClass == null) {
            throw new IllegalStateException("no test has begun");
        }
        return testClass
                .getStore(ExtensionContext.Namespace.create(OwnServer.class))
                .computeIfAbsent(Server.class, key -> fixture.startServer(), Server.class);
    }
}
