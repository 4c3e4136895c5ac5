package io.github.distlock.spring.boot;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.autoconfigure.data.redis.RedisConnectionDetails;
import org.springframework.boot.ssl.SslBundle;

/** The connection details of Boot 3. */
class Boot3ConnectionDetailsTest extends ConnectionDetailsRules<RedisConnectionDetails> {

    Boot3ConnectionDetailsTest() {
        super(RedisConnectionDetails.class);
    }

    @Override
    RedisConnectionDetails server(String host, int port, SslBundle bundle) {
        return new RedisConnectionDetails() {
            @Override
            public String getUsername() {
                return USER;
            }

            @Override
            public String getPassword() {
                return PASSWORD;
            }

            @Override
            public Standalone getStandalone() {
                return Standalone.of(host, port, bundle);
            }
        };
    }

    @Override
    RedisConnectionDetails sentinels(List<String> addresses, String primary, SslBundle bundle) {
        Sentinels sentinels = new Sentinels(nodes(addresses), primary, bundle);
        return new RedisConnectionDetails() {

            @Override
            public Sentinel getSentinel() {
                return sentinels;
            }
        };
    }

    private record Sentinels(List<RedisConnectionDetails.Node> getNodes, String getMaster, SslBundle getSslBundle)
            implements RedisConnectionDetails.Sentinel {
        @Override
        public int getDatabase() {
            return 0;
        }

        @Override
        public @Nullable String getUsername() {
            return null;
        }

        @Override
        public @Nullable String getPassword() {
            return null;
        }
    }

    @Override
    RedisConnectionDetails cluster(List<String> addresses, SslBundle bundle) {
        Nodes nodes = new Nodes(nodes(addresses), bundle);
        return new RedisConnectionDetails() {

            @Override
            public Cluster getCluster() {
                return nodes;
            }
        };
    }

    private record Nodes(List<RedisConnectionDetails.Node> getNodes, SslBundle getSslBundle)
            implements RedisConnectionDetails.Cluster {}

    private static List<RedisConnectionDetails.Node> nodes(List<String> addresses) {
        return addresses.stream()
                .map(address -> new RedisConnectionDetails.Node(host(address), port(address)))
                .toList();
    }
}
