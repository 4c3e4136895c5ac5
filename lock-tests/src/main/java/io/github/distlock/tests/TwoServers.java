package io.github.distlock.tests;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

/** Connects one client to two servers, each of which keeps some of the names, as a backend over a cluster does. */
final class TwoServers extends WrappedBackend {
    private final LockBackend second;
    private final Predicate<String> isOfSecond;

    TwoServers(LockBackend first, LockBackend second, Predicate<String> isOfSecond) {
        super(first);
        this.second = second;
        this.isOfSecond = isOfSecond;
    }

    private boolean isOfSecond(Contender contender) {
        return isOfSecond.test(((WrappedContender) contender).request.name());
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        LockBackend keeper = isOfSecond.test(request.name()) ? second : inner;
        return new WrappedContender(request, signals, keeper.contend(request, signals));
    }

    @Override
    protected Object server(WrappedContender contender) {
        return List.of(isOfSecond(contender), super.server(contender));
    }

    @Override
    protected Object server(WrappedGrant grant) {
        return List.of(isOfSecond(grant.contender), super.server(grant));
    }

    /** Renews holds of one server: the engine renews those of each server by themselves. */
    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        WrappedGrant any = (WrappedGrant) due.iterator().next().grant();
        renewAll(isOfSecond(any.contender) ? second : inner, due, deadline);
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        WrappedGrant any = (WrappedGrant) grants.iterator().next();
        return releaseAll(isOfSecond(any.contender) ? second : inner, grants, deadline);
    }

    /** Asks one server: the engine asks each of them by themselves. */
    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        WrappedGrant any = (WrappedGrant) grants.iterator().next();
        return requestedReleases(isOfSecond(any.contender) ? second : inner, grants, deadline);
    }

    /** Sends heartbeats to one server: the engine sends those to each server by themselves. */
    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        heartbeat(isOfSecond(waiting.iterator().next()) ? second : inner, waiting, deadline);
    }

    @Override
    public void start(BackendContext context) {
        super.start(context);
        second.start(context);
    }

    @Override
    public void disconnect() {
        super.disconnect();
        second.disconnect();
    }

    @Override
    public void close() {
        super.close();
        second.close();
    }
}
