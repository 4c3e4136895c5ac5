package io.github.distlock.tests;

import io.github.distlock.tests.servers.Server;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** One server for all tests of a class that hurt it. The first test starts it, and it ends after the last. */
final class OwnServer implements BeforeEachCallback {
    private @Nullable ExtensionContext testClass;

    @Override
    public void beforeEach(ExtensionContext test) {
        testClass = test.getParent().orElseThrow();
    }

    Server startedBy(Supplier<? extends Server> servers) {
        return Objects.requireNonNull(testClass, "no test has begun")
                .getStore(ExtensionContext.Namespace.create(OwnServer.class))
                .computeIfAbsent(Server.class, key -> servers.get(), Server.class);
    }
}
