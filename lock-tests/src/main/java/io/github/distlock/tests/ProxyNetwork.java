package io.github.distlock.tests;

import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** A real network. */
final class ProxyNetwork implements Network {
    private final FaultProxy proxy;

    ProxyNetwork(FaultProxy proxy) {
        this.proxy = proxy;
    }

    @Override
    public void silence() {
        proxy.silence();
    }

    @Override
    public void silenceRequests() {
        proxy.silenceRequests();
    }

    @Override
    public void silenceReplies() {
        proxy.silenceReplies();
    }

    @Override
    public void refuse() {
        proxy.refuse();
        proxy.cut();
    }

    @Override
    public void cut() {
        proxy.cut();
    }

    @Override
    public void reset() {
        proxy.reset();
    }

    @Override
    public void slice() {
        proxy.slice();
    }

    @Override
    public BooleanSupplier dropNextRequest() {
        return proxy.dropNextRequest()::hasStruck;
    }

    @Override
    public BooleanSupplier dropNextReply() {
        return proxy.dropNextReply()::hasStruck;
    }

    @Override
    public BooleanSupplier delayNextRequest(Duration delay) {
        return proxy.delayNextRequest(request -> true, delay)::hasStruck;
    }

    @Override
    public LateReply delayNextReply(Duration delay) {
        proxy.delayNextReply(request -> true, delay);
        return () -> {};
    }

    @Override
    public int connections() {
        return proxy.openConnections();
    }

    @Override
    public void heal() {
        proxy.heal();
    }
}
