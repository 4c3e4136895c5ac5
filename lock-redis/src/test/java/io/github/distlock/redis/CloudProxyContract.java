package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.BackendFactory;
import io.github.distlock.tests.BackendFixture;
import io.github.distlock.tests.LockContract;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * The contract of backends, for Redis behind the proxies of cloud providers. {@code .ci/extended} runs it, because it
 * takes as long as the contract without a proxy. {@link CloudProxyTest} is the short form.
 */
@Execution(ExecutionMode.CONCURRENT)
class CloudProxyContract extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        ProxiedFactory factory = new ProxiedFactory();
        return new RedisFixture(factory) {
            @Override
            public void close() {
                super.close();
                factory.close();
            }
        };
    }

    /** Creates backends that reach the server through a proxy each. */
    public static final class ProxiedFactory implements BackendFactory, AutoCloseable {
        private final List<CloudProxy> proxies = new CopyOnWriteArrayList<>();

        @Override
        public LockBackend backend(String address, String space) {
            try {
                CloudProxy proxy = new CloudProxy(address);
                proxies.add(proxy);
                return RedisBackend.builder("redis://" + proxy.address())
                        .keyPrefix(space + ":")
                        .publishFromClient()
                        .build();
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        @Override
        public void close() {
            for (CloudProxy proxy : proxies) {
                // The backend then sends a request for each hold.
                assertThat(proxy.refusals()).allMatch(CloudProxy.SEVERAL_SLOTS::equals);
                try {
                    proxy.close();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }
        }
    }
}
