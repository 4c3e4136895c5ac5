package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.WrappedBackend;

/** Creates Redis backends with a bug, for histories: they report three times the real validity. */
public final class OverlongValidity implements BackendFactory {
    @Override
    public LockBackend backend(String address, String space) {
        return new WrappedBackend(new RedisFactory().backend(address, space)) {
            @Override
            protected Validity validity(WrappedGrant grant) {
                return longer(super.validity(grant));
            }

            @Override
            protected void renewed(Renewal renewal, Validity validity) {
                super.renewed(renewal, longer(validity));
            }
        };
    }

    private static Validity longer(Validity validity) {
        return Validity.of(validity.from(), validity.length().multipliedBy(3)).withRenewAfter(validity.renewAfter());
    }
}
