package io.github.distlock.engine;

import io.github.distlock.LockException;
import io.github.distlock.LockInspector;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockNames;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/** Asks the store directly, on the caller's thread. */
final class StoreInspector implements LockInspector {
    private static final int LONGEST_LIST = 100_000;

    private final LockBackend backend;
    private final String client;
    private final Lifecycle lifecycle;
    private final Requests requests;

    StoreInspector(LockBackend backend, String client, Lifecycle lifecycle, Requests requests) {
        this.backend = backend;
        this.client = client;
        this.lifecycle = lifecycle;
        this.requests = requests;
        require(Capability.INSPECT);
    }

    @Override
    public LockStatus inspect(String name) {
        Checks.name(name);
        return ask(name, () -> backend.inspect(name, requests.deadline()));
    }

    @Override
    public List<String> list(String prefix, int limit) {
        Checks.prefix(prefix);
        Checks.count(limit, "limit", LONGEST_LIST);
        Set<String> names = new LinkedHashSet<>();
        Optional<String> position = Optional.empty();
        do {
            LockNames page = page(prefix, position);
            page.names().stream().filter(name -> names.size() < limit).forEach(names::add);
            position = page.next();
        } while (position.isPresent() && names.size() < limit);
        return List.copyOf(names);
    }

    private LockNames page(String prefix, Optional<String> position) {
        return ask(prefix + "*", () -> backend.list(prefix, position, requests.deadline()));
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name) {
        require(Capability.FORCE_RELEASE);
        Checks.name(name);
        return ask(name, () -> backend.forceRelease(name, OptionalLong.empty(), requests.deadline()));
    }

    @Override
    public Optional<LockStatus.Holder> forceRelease(String name, long expectedToken) {
        require(Capability.FORCE_RELEASE);
        Checks.name(name);
        OptionalLong base = OptionalLong.of(FencingTokens.base(expectedToken, "expectedToken"));
        return ask(name, () -> backend.forceRelease(name, base, requests.deadline())).stream()
                .findFirst();
    }

    @Override
    public int requestRelease(String name) {
        require(Capability.RELEASE_REQUESTS);
        Checks.name(name);
        LockOwner requester = LockOwner.of(
                Host.NAME, Host.PROCESS_ID, client, Thread.currentThread().getName());
        return ask(name, () -> backend.requestRelease(name, requester, requests.deadline()));
    }

    private interface Question<T> {
        T ask() throws InterruptedException;
    }

    /** An interrupt ends the wait for the answer. The caller finds the flag set. */
    private <T> T ask(String name, Question<T> question) {
        lifecycle.ensureOpen();
        try {
            return question.ask();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LockException(name, "interrupted while the store was asked; the outcome is unknown", e);
        } catch (UnsupportedOperationException e) {
            throw e;
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
