package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.redis.RedisFactory;

/** A Redis backend with a bug, for histories: it says that holds are valid for three times as long as they are. */
public final class OverlongValidity implements BackendFactory {
    @Override
    public LockBackend backend(String address, String space) {
        return new WrappedBackend(new RedisFactory().backend(address, space)) {
            @Override
            Validity validity(Held held) {
                return longer(super.validity(held));
            }

            @Override
            void renewed(Renewal renewal, Validity validity) {
                super.renewed(renewal, longer(validity));
            }
        };
    }

    private static Validity longer(Validity validity) {
        return Validity.of(validity.from(), validity.length().multipliedBy(3)).withRenewAfter(validity.renewAfter());
    }
}
