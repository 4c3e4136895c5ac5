package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;

/**
 * A backend that passes everything on to another one. A subclass overrides what it changes, for example to plant a bug
 * in a backend and to see the contract find it. Thread-safe if the wrapped backend is.
 */
public class WrappedBackend implements LockBackend {
    final LockBackend inner;

    /**
     * Wraps a backend, which is closed with this one.
     *
     * @param inner the backend that does the work
     */
    public WrappedBackend(LockBackend inner) {
        this.inner = inner;
    }

    /**
     * Passes on {@link Contender#attempt}.
     *
     * @param contender the contender that asks
     * @param deadline as the engine gave it
     * @return the answer; a grant in it will be wrapped
     * @throws InterruptedException as {@link Contender#attempt} does
     */
    protected Attempt attempt(WrappedContender contender, Deadline deadline) throws InterruptedException {
        return contender.inner.attempt(deadline);
    }

    /**
     * Passes on {@link Contender#withdraw}.
     *
     * @param contender the contender that withdraws
     * @param deadline as the engine gave it
     * @throws InterruptedException as {@link Contender#withdraw} does
     */
    protected void withdraw(WrappedContender contender, Deadline deadline) throws InterruptedException {
        contender.inner.withdraw(deadline);
    }

    /**
     * Passes on {@link Contender#forget}.
     *
     * @param contender the contender that the engine no longer needs
     */
    protected void forget(WrappedContender contender) {
        contender.inner.forget();
    }

    /**
     * Passes on {@link Contender#server}.
     *
     * @param contender the contender
     * @return the server that the engine sees
     */
    protected Object server(WrappedContender contender) {
        return contender.inner.server();
    }

    /**
     * Passes on {@link Grant#release}.
     *
     * @param grant the hold that ends
     * @param deadline as the engine gave it
     * @return the outcome
     * @throws InterruptedException as {@link Grant#release} does
     */
    protected Grant.Release release(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return grant.inner.release(deadline);
    }

    /**
     * Passes on {@link Grant#downgrade}.
     *
     * @param grant the write hold
     * @param deadline as the engine gave it
     * @return the read hold, which will be wrapped, or empty
     * @throws InterruptedException as {@link Grant#downgrade} does
     */
    protected Optional<Grant> downgrade(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return grant.inner.downgrade(deadline);
    }

    /**
     * Passes on {@link Grant#nextBase}.
     *
     * @param grant the hold
     * @param deadline as the engine gave it
     * @return the base that the engine gets, or empty
     * @throws InterruptedException as {@link Grant#nextBase} does
     */
    protected OptionalLong nextBase(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return grant.inner.nextBase(deadline);
    }

    /**
     * Passes on {@link Grant#keep}.
     *
     * @param grant the hold that ends
     * @param time how long the store keeps the lock
     * @param deadline as the engine gave it
     * @return the outcome
     * @throws InterruptedException as {@link Grant#keep} does
     */
    protected Grant.Release keep(WrappedGrant grant, Duration time, Deadline deadline) throws InterruptedException {
        return grant.inner.keep(time, deadline);
    }

    /**
     * Passes on {@link Grant#fencingBase}.
     *
     * @param grant the hold
     * @return the base that the engine sees
     */
    protected long fencingBase(WrappedGrant grant) {
        return grant.inner.fencingBase();
    }

    /**
     * Passes on {@link Grant#validity}.
     *
     * @param grant the hold
     * @return the validity that the engine sees
     */
    protected Validity validity(WrappedGrant grant) {
        return grant.inner.validity();
    }

    /**
     * Passes on {@link Grant#latestValidity}.
     *
     * @param grant the hold
     * @return the validity that the engine sees before it reports a loss
     */
    protected Validity latestValidity(WrappedGrant grant) {
        return grant.inner.latestValidity();
    }

    /**
     * Passes on {@link Grant#hasEnded}.
     *
     * @param grant the hold
     * @return what the engine sees
     */
    protected boolean hasEnded(WrappedGrant grant) {
        return grant.inner.hasEnded();
    }

    /**
     * Passes on {@link Grant#hearsOthers}.
     *
     * @param grant the hold
     * @return what the engine sees
     */
    protected boolean hearsOthers(WrappedGrant grant) {
        return grant.inner.hearsOthers();
    }

    /**
     * Passes on {@link Grant#server}.
     *
     * @param grant the hold
     * @return the server that the engine sees
     */
    protected Object server(WrappedGrant grant) {
        return grant.inner.server();
    }

    /**
     * Passes on {@link Renewal#renewed} to the engine.
     *
     * @param renewal the engine's
     * @param validity as the wrapped backend states it
     */
    protected void renewed(Renewal renewal, Validity validity) {
        renewal.renewed(validity);
    }

    /**
     * Passes on {@link Renewal#gone} to the engine.
     *
     * @param renewal the engine's
     */
    protected void gone(Renewal renewal) {
        renewal.gone();
    }

    /** One contender. The one that it wraps may be exchanged. */
    public final class WrappedContender implements Contender {
        final LockRequest request;
        final Signals signals;
        volatile Contender inner;

        WrappedContender(LockRequest request, Signals signals, Contender inner) {
            this.request = request;
            this.signals = signals;
            this.inner = inner;
        }

        @Override
        public Attempt attempt(Deadline deadline) throws InterruptedException {
            Attempt answer = WrappedBackend.this.attempt(this, deadline);
            return answer instanceof Attempt.Granted granted
                    ? Attempt.granted(new WrappedGrant(this, granted.grant()))
                    : answer;
        }

        @Override
        public void withdraw(Deadline deadline) throws InterruptedException {
            WrappedBackend.this.withdraw(this, deadline);
        }

        @Override
        public Object server() {
            return WrappedBackend.this.server(this);
        }

        @Override
        public void forget() {
            WrappedBackend.this.forget(this);
        }
    }

    /** One hold. */
    public final class WrappedGrant implements Grant {
        final WrappedContender contender;
        final Grant inner;

        private WrappedGrant(WrappedContender contender, Grant inner) {
            this.contender = contender;
            this.inner = inner;
        }

        @Override
        public long fencingBase() {
            return WrappedBackend.this.fencingBase(this);
        }

        @Override
        public Validity validity() {
            return WrappedBackend.this.validity(this);
        }

        @Override
        public Validity latestValidity() {
            return WrappedBackend.this.latestValidity(this);
        }

        @Override
        public boolean hasEnded() {
            return WrappedBackend.this.hasEnded(this);
        }

        @Override
        public boolean hearsOthers() {
            return WrappedBackend.this.hearsOthers(this);
        }

        @Override
        public Object server() {
            return WrappedBackend.this.server(this);
        }

        @Override
        public Release release(Deadline deadline) throws InterruptedException {
            return WrappedBackend.this.release(this, deadline);
        }

        @Override
        public Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
            return WrappedBackend.this.downgrade(this, deadline).map(read -> new WrappedGrant(contender, read));
        }

        @Override
        public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
            return WrappedBackend.this.nextBase(this, deadline);
        }

        @Override
        public Release keep(Duration time, Deadline deadline) throws InterruptedException {
            return WrappedBackend.this.keep(this, time, deadline);
        }
    }

    private final class InnerRenewal extends ForwardingRenewal {
        private final Renewal outer;

        private InnerRenewal(Renewal outer) {
            super(outer);
            this.outer = outer;
        }

        @Override
        public Grant grant() {
            return ((WrappedGrant) outer.grant()).inner;
        }

        @Override
        public void renewed(Validity validity) {
            WrappedBackend.this.renewed(outer, validity);
        }

        @Override
        public void gone() {
            WrappedBackend.this.gone(outer);
        }
    }

    @Override
    public Set<Capability> capabilities() {
        return inner.capabilities();
    }

    @Override
    public void start(BackendContext context) {
        inner.start(context);
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new WrappedContender(request, signals, inner.contend(request, signals));
    }

    @Override
    public void requireMayWait() {
        inner.requireMayWait();
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        renewAll(inner, due, deadline);
    }

    final void renewAll(LockBackend by, Collection<? extends Renewal> due, Deadline deadline)
            throws InterruptedException {
        List<Renewal> passedOn = new ArrayList<>();
        due.forEach(renewal -> passedOn.add(new InnerRenewal(renewal)));
        by.renewAll(passedOn, deadline);
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return releaseAll(inner, grants, deadline);
    }

    static Map<Grant, Grant.Release> releaseAll(LockBackend by, Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return outer(grants, inner -> by.releaseAll(inner, deadline));
    }

    private interface Question<T> {
        Map<Grant, T> ask(Collection<Grant> inner) throws InterruptedException;
    }

    /** Asks something about the grants that some grants wrap. Returns the answers for those. */
    private static <T> Map<Grant, T> outer(Collection<? extends Grant> grants, Question<T> question)
            throws InterruptedException {
        Map<Grant, Grant> outer = new HashMap<>();
        grants.forEach(grant -> outer.put(((WrappedGrant) grant).inner, grant));
        Map<Grant, T> found = new HashMap<>();
        question.ask(outer.keySet()).forEach((grant, answer) -> {
            Grant wrapped = outer.get(grant);
            if (wrapped != null) {
                found.put(wrapped, answer);
            }
        });
        return found;
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        heartbeat(inner, waiting, deadline);
    }

    static void heartbeat(LockBackend by, Collection<? extends Contender> waiting, Deadline deadline)
            throws InterruptedException {
        List<Contender> passedOn = new ArrayList<>();
        waiting.forEach(contender -> passedOn.add(((WrappedContender) contender).inner));
        by.heartbeat(passedOn, deadline);
    }

    @Override
    public Duration heartbeatInterval() {
        return inner.heartbeatInterval();
    }

    @Override
    public Duration expiry(LockRequest request) {
        return inner.expiry(request);
    }

    @Override
    public boolean isBoundToSession() {
        return inner.isBoundToSession();
    }

    @Override
    public Duration minimumLease() {
        return inner.minimumLease();
    }

    @Override
    public Duration maximumLease() {
        return inner.maximumLease();
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return inner.inspect(name, deadline);
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        return inner.list(prefix, position, deadline);
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        return inner.forceRelease(name, fencingBase, deadline);
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        return inner.requestRelease(name, requester, deadline);
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return requestedReleases(inner, grants, deadline);
    }

    static Map<Grant, RequestedRelease> requestedReleases(
            LockBackend by, Collection<? extends Grant> grants, Deadline deadline) throws InterruptedException {
        return outer(grants, inner -> by.requestedReleases(inner, deadline));
    }

    @Override
    public LockClock clock() {
        return inner.clock();
    }

    @Override
    public void disconnect() {
        inner.disconnect();
    }

    @Override
    public void close() {
        inner.close();
    }
}
