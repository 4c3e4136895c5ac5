package io.github.distlock;

import static java.util.Objects.requireNonNull;

import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/** A name and its options; each acquire is an {@link Acquisition} of its own. */
final class NamedLock implements DistributedLock {
    private final Engine engine;
    private final LocalQueue.Key key;

    NamedLock(Engine engine, String name, LockOptions options) {
        this.engine = engine;
        this.key = new LocalQueue.Key(name, options);
    }

    @Override
    public String name() {
        return key.name();
    }

    @Override
    public LockOptions options() {
        return key.options();
    }

    @Override
    public LockHandle acquire() throws InterruptedException {
        return acquire(Patience.untilHeld(engine.settings(), engine.clock()), true)
                .orElseThrow(() -> new AssertionError("an acquire without a limit ended as busy"));
    }

    @Override
    public Optional<LockHandle> tryAcquire() {
        try {
            return acquire(Patience.oneTry(engine.settings(), engine.clock()), false);
        } catch (InterruptedException e) {
            throw new AssertionError("an uninterruptible acquire was interrupted", e);
        }
    }

    @Override
    public Optional<LockHandle> tryAcquire(Duration maxWait) throws InterruptedException {
        requireNonNull(maxWait, "maxWait");
        return acquire(Patience.limited(maxWait, engine.settings(), engine.clock()), true);
    }

    /** A hold that ends between its grant and its arrival here was none: the contest goes on. */
    private Optional<LockHandle> acquire(Patience patience, boolean interruptible) throws InterruptedException {
        engine.ensureOpen();
        if (interruptible && Thread.interrupted()) {
            throw new InterruptedException("interrupted before acquiring lock \"" + name() + "\"");
        }
        while (true) {
            if (patience.isSingleTry() && engine.holds(key)) {
                return Optional.empty();
            }
            BlockingAcquisition acquisition =
                    engine.begin(key, queue -> new BlockingAcquisition(engine, queue, patience));
            Handle handle = acquisition.await(interruptible);
            if (handle == null) {
                return Optional.empty();
            }
            if (acquisition.accept(handle)) {
                return Optional.of(handle);
            }
        }
    }

    @Override
    public CompletableFuture<LockHandle> acquireAsync() {
        Patience patience = Patience.untilHeld(engine.settings(), engine.clock());
        return AsyncAcquisition.start(engine, key, patience, handle -> handle.orElseThrow());
    }

    @Override
    public CompletableFuture<Optional<LockHandle>> tryAcquireAsync(Duration maxWait) {
        requireNonNull(maxWait, "maxWait");
        Patience patience = Patience.limited(maxWait, engine.settings(), engine.clock());
        return AsyncAcquisition.start(engine, key, patience, handle -> handle);
    }

    @Override
    public String toString() {
        return "lock \"" + name() + "\", " + options();
    }
}
