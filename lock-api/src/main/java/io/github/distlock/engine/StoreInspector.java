package io.github.distlock.engine;

import io.github.distlock.LockException;
import io.github.distlock.LockInspector;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Asks the store directly, on the caller's thread. */
final class StoreInspector implements LockInspector {
    private final LockBackend backend;
    private final Lifecycle lifecycle;
    private final Requests requests;

    StoreInspector(LockBackend backend, Lifecycle lifecycle, Requests requests) {
        this.backend = backend;
        this.lifecycle = lifecycle;
        this.requests = requests;
        require(Capability.INSPECT);
    }

    @Override
    public LockStatus inspect(String name) {
        return ask(name, () -> backend.inspect(name, requests.deadline()));
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name) {
        require(Capability.FORCE_RELEASE);
        return ask(name, () -> backend.forceRelease(name, OptionalLong.empty(), requests.deadline()));
    }

    @Override
    public Optional<LockStatus.Holder> forceRelease(String name, long expectedToken) {
        require(Capability.FORCE_RELEASE);
        OptionalLong base = OptionalLong.of(FencingTokens.base(expectedToken, "expectedToken"));
        return ask(name, () -> backend.forceRelease(name, base, requests.deadline())).stream()
                .findFirst();
    }

    private interface Question<T> {
        T ask() throws InterruptedException;
    }

    /** An interrupt ends the wait for the answer. The caller finds the flag set. */
    private <T> T ask(String name, Question<T> question) {
        lifecycle.ensureOpen();
        Checks.name(name);
        try {
            return question.ask();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LockException(name, "interrupted while the store was asked; the outcome is unknown", e);
        } catch (RuntimeException e) {
            throw new LockException(name, String.valueOf(e.getMessage()), e);
        }
    }

    private void require(Capability capability) {
        if (!backend.capabilities().contains(capability)) {
            throw new UnsupportedOperationException("this store has no " + capability);
        }
    }
}
