package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.BiConsumer;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.ToLongFunction;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/** One client's backend over the in-memory store. A bug replaces what it does in some of its steps. */
final class BrokenBackend extends WrappedBackend {
    final InMemoryStore store;
    /** Makes the request to the store of the engine's request. */
    UnaryOperator<LockRequest> request = UnaryOperator.identity();

    /** Makes the signals to which the store sends, of those for the engine's request. */
    BiFunction<LockRequest, Signals, Signals> signals = (asked, heard) -> heard;

    Step<WrappedContender, Attempt> attempt = super::attempt;
    Withdrawal withdraw = super::withdraw;
    Step<WrappedGrant, Grant.Release> release = super::release;
    Step<WrappedGrant, Optional<Grant>> downgrade = super::downgrade;
    Step<WrappedGrant, OptionalLong> nextBase = super::nextBase;
    Keeping keep = super::keep;
    /** Releases one grant after the other, so that a bug of {@link #release} is here, too. */
    Releasing releaseAll = this::releaseOneByOne;

    ToLongFunction<WrappedGrant> fencingBase = super::fencingBase;
    Function<WrappedGrant, Validity> validity = super::validity;
    Predicate<WrappedGrant> hearsOthers = super::hearsOthers;
    Renewing renewAll = super::renewAll;
    Heartbeats heartbeat = super::heartbeat;
    UnaryOperator<Validity> renewed = UnaryOperator.identity();
    Consumer<Renewal> gone = super::gone;
    UnaryOperator<Duration> expiry = UnaryOperator.identity();
    Step<String, LockStatus> inspect = super::inspect;
    Listing list = super::list;
    Forcing forceRelease = super::forceRelease;
    Requesting requestRelease = super::requestRelease;
    Step<Collection<? extends Grant>, Map<Grant, RequestedRelease>> requestedReleases = super::requestedReleases;
    UnaryOperator<LockClock> clock = UnaryOperator.identity();
    Runnable close = () -> {};

    /** A renewal whose answer nobody needs. */
    private record SetLease(Grant grant, Duration lease) implements Renewal {
        @Override
        public void renewed(Validity validity) {}

        @Override
        public void gone() {}

        @Override
        public void unknown(Throwable cause) {}
    }

    interface Step<S, A> {
        A run(S subject, Deadline deadline) throws InterruptedException;
    }

    interface Forcing {
        List<LockStatus.Holder> run(String name, OptionalLong base, Deadline deadline) throws InterruptedException;
    }

    interface Requesting {
        int run(String name, LockOwner requester, Deadline deadline) throws InterruptedException;
    }

    interface Listing {
        LockNames run(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException;
    }

    interface Withdrawal {
        void run(WrappedContender contender, Deadline deadline) throws InterruptedException;
    }

    interface Keeping {
        Grant.Release run(WrappedGrant grant, Duration time, Deadline deadline) throws InterruptedException;
    }

    interface Releasing {
        Map<Grant, Grant.Release> run(Collection<? extends Grant> grants, Deadline deadline)
                throws InterruptedException;
    }

    interface Renewing {
        void run(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException;
    }

    interface Heartbeats {
        void run(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException;
    }

    BrokenBackend(InMemoryStore store) {
        this(store, store.connect());
    }

    private BrokenBackend(InMemoryStore store, InMemoryBackend connection) {
        super(new SimulatedNetwork(connection, connection::pause, connection::resume));
        this.store = store;
    }

    /** Runs a hook with each contender that is granted its hold. */
    void onGrant(BiConsumer<WrappedContender, Grant> hook) {
        var before = attempt;
        attempt = (contender, deadline) -> {
            Attempt answer = before.run(contender, deadline);
            if (answer instanceof Attempt.Granted granted) {
                hook.accept(contender, granted.grant());
            }
            return answer;
        };
    }

    /** Gives a hold of any client a new lease. */
    void renew(Grant held, Duration lease, Deadline deadline) throws InterruptedException {
        inner.renewAll(List.of(new SetLease(held, lease)), deadline);
    }

    /** Passes renewals on to the store, as a backend without a bug does. */
    void passOn(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        super.renewAll(due, deadline);
    }

    /** Asks for a lock as one more contender. */
    void contendAndAttempt(LockRequest wanted, Deadline deadline) {
        try {
            var unused = inner.contend(wanted, new IgnoredSignals()).attempt(deadline);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public Contender contend(LockRequest asked, Signals heard) {
        return new WrappedContender(asked, heard, inner.contend(request.apply(asked), signals.apply(asked, heard)));
    }

    @Override
    protected Attempt attempt(WrappedContender contender, Deadline deadline) throws InterruptedException {
        return attempt.run(contender, deadline);
    }

    @Override
    protected void withdraw(WrappedContender contender, Deadline deadline) throws InterruptedException {
        withdraw.run(contender, deadline);
    }

    @Override
    protected Grant.Release release(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return release.run(grant, deadline);
    }

    @Override
    protected Optional<Grant> downgrade(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return downgrade.run(grant, deadline);
    }

    @Override
    protected OptionalLong nextBase(WrappedGrant grant, Deadline deadline) throws InterruptedException {
        return nextBase.run(grant, deadline);
    }

    @Override
    protected Grant.Release keep(WrappedGrant grant, Duration time, Deadline deadline) throws InterruptedException {
        return keep.run(grant, time, deadline);
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return releaseAll.run(grants, deadline);
    }

    private Map<Grant, Grant.Release> releaseOneByOne(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        Map<Grant, Grant.Release> found = new HashMap<>();
        for (Grant grant : grants) {
            found.put(grant, grant.release(deadline));
        }
        return found;
    }

    @Override
    protected long fencingBase(WrappedGrant grant) {
        return fencingBase.applyAsLong(grant);
    }

    @Override
    protected Validity validity(WrappedGrant grant) {
        return validity.apply(grant);
    }

    @Override
    protected boolean hearsOthers(WrappedGrant grant) {
        return hearsOthers.test(grant);
    }

    @Override
    protected Validity latestValidity(WrappedGrant grant) {
        return validity(grant);
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        renewAll.run(due, deadline);
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        heartbeat.run(waiting, deadline);
    }

    @Override
    protected void renewed(Renewal renewal, Validity until) {
        super.renewed(renewal, renewed.apply(until));
    }

    @Override
    protected void gone(Renewal renewal) {
        gone.accept(renewal);
    }

    @Override
    public Duration expiry(LockRequest asked) {
        return expiry.apply(super.expiry(asked));
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return inspect.run(name, deadline);
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        return list.run(prefix, position, deadline);
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong base, Deadline deadline)
            throws InterruptedException {
        return forceRelease.run(name, base, deadline);
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        return requestRelease.run(name, requester, deadline);
    }

    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        return requestedReleases.run(grants, deadline);
    }

    /** Replaces each request that a read finds. A result of null says that there is none. */
    void onRequest(BiFunction<WrappedGrant, RequestedRelease, @Nullable RequestedRelease> change) {
        var before = requestedReleases;
        requestedReleases = (grants, deadline) -> {
            Map<Grant, RequestedRelease> found = new HashMap<>();
            before.run(grants, deadline).forEach((grant, last) -> {
                RequestedRelease changed = change.apply((WrappedGrant) grant, last);
                if (changed != null) {
                    found.put(grant, changed);
                }
            });
            return found;
        };
    }

    @Override
    public LockClock clock() {
        return clock.apply(super.clock());
    }

    @Override
    public void close() {
        close.run();
        super.close();
    }
}
