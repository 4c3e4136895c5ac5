package io.github.distlock;

import io.github.distlock.spi.Capability;
import java.util.Optional;
import java.util.function.Supplier;

/** Asks the store directly, on the caller's thread. */
final class StoreInspector implements LockInspector {
    private final Engine engine;

    StoreInspector(Engine engine) {
        this.engine = engine;
        require(Capability.INSPECT);
    }

    @Override
    public LockStatus inspect(String name) {
        return ask(name, () -> engine.backend().inspect(name, engine.requestDeadline()));
    }

    @Override
    public Optional<LockStatus.Holder> forceRelease(String name) {
        require(Capability.FORCE_RELEASE);
        return ask(name, () -> engine.backend().forceRelease(name, engine.requestDeadline()));
    }

    private <T> T ask(String name, Supplier<T> question) {
        engine.ensureOpen();
        Checks.name(name);
        try {
            return question.get();
        } catch (RuntimeException e) {
            throw new LockException(name, String.valueOf(e.getMessage()), e);
        }
    }

    private void require(Capability capability) {
        if (!engine.backend().capabilities().contains(capability)) {
            throw new UnsupportedOperationException("this store has no " + capability);
        }
    }
}
