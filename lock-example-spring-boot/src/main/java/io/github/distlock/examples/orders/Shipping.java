package io.github.distlock.examples.orders;

import io.github.distlock.spring.DistributedLocked;
import io.github.distlock.spring.LockedMethod;
import org.springframework.stereotype.Service;

/** The work for one order, which no other instance does at the same time. */
@Service
class Shipping {
    private final Carrier carrier;

    Shipping(Carrier carrier) {
        this.carrier = carrier;
    }

    @DistributedLocked(key = "orders/#{#id}", maxWait = "0s")
    public String ship(int id) throws InterruptedException {
        carrier.pickUp(id);
        return "shipped with token " + LockedMethod.currentHandle().fencingToken();
    }
}
