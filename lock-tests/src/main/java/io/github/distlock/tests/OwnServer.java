package io.github.distlock.tests;

import io.github.distlock.tests.servers.Server;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Keeps a server for the tests of one class that pause and kill it, from the first of them to the last. */
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
