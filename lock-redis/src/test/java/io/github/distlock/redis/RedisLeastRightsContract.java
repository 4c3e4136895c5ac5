package io.github.distlock.redis;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import io.github.distlock.tests.servers.RedisServer;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for Redis and a user who has only the rights that the documentation lists. Not part of the
 * normal build, which checks these rights with some requests: {@link TenantPermissionsTest}.
 */
@Execution(ExecutionMode.CONCURRENT)
class RedisLeastRightsContract extends LockContract {
    /** What the spaces of all fixtures begin with. */
    private static final String SPACES = "contract";

    @Override
    protected BackendFixture newFixture() {
        return new RestrictedFixture();
    }

    private static final class RestrictedFixture extends RedisFixture {
        private RestrictedFixture() {
            super(RestrictedFixture::startRestricting, new RestrictedFactory());
        }

        /** The contract lists names, too. */
        private static RedisServer startRestricting() {
            return RedisServer.start(
                    "appendonly yes",
                    "appendfsync always",
                    "user locks " + String.join(" ", DocumentedRights.of(SPACES)) + " +scan");
        }
    }

    /** Creates backends that authenticate as the user. */
    public static final class RestrictedFactory implements BackendFactory {
        @Override
        public LockBackend backend(String address, String space) {
            return RedisBackend.builder("redis://locks:secret@" + address)
                    .keyPrefix(space + ":")
                    .build();
        }
    }
}
