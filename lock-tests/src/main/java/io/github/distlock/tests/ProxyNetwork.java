package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.function.BooleanSupplier;

/** A real network. */
record ProxyNetwork(LockBackend client, FaultProxy proxy) implements Network {
    @Override
    public boolean isReal() {
        return true;
    }

    @Override
    public void silence(Silence silence) {
        switch (silence) {
            case REQUESTS_AND_REPLIES -> proxy.silence();
            case REQUESTS -> proxy.silenceRequests();
            case REPLIES -> proxy.silenceReplies();
        }
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
    public BooleanSupplier reset() {
        proxy.reset();
        return () -> true;
    }

    @Override
    public void slice() {
        proxy.slice();
    }

    @Override
    public BooleanSupplier dropNext(Message message) {
        Fault fault = message == Message.REQUEST ? proxy.dropNextRequest() : proxy.dropNextReply();
        return fault::hasStruck;
    }

    @Override
    public BooleanSupplier delayNext(Message message, Duration delay) {
        Fault fault = message == Message.REQUEST
                ? proxy.delayNextRequest(any -> true, delay)
                : proxy.delayNextReply(any -> true, delay);
        return fault::hasStruck;
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
