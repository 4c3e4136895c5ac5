package io.github.distlock.spring.boot;

import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.boot.ssl.SslBundle;

/** The connection details of Boot 4. */
class Boot4ConnectionDetailsTest extends ConnectionDetailsRules<DataRedisConnectionDetails> {

    Boot4ConnectionDetailsTest() {
        super(DataRedisConnectionDetails.class);
    }

    @Override
    DataRedisConnectionDetails server(String host, int port, SslBundle bundle) {
        return new DataRedisConnectionDetails() {
            @Override
            public String getUsername() {
                return USER;
            }

            @Override
            public String getPassword() {
                return PASSWORD;
            }

            @Override
            public SslBundle getSslBundle() {
                return bundle;
            }

            @Override
            public Standalone getStandalone() {
                return Standalone.of(host, port);
            }
        };
    }

    @Override
    DataRedisConnectionDetails sentinels(List<String> addresses, String primary, SslBundle bundle) {
        Sentinels sentinels = new Sentinels(nodes(addresses), primary);
        return new DataRedisConnectionDetails() {
            @Override
            public SslBundle getSslBundle() {
                return bundle;
            }

            @Override
            public Sentinel getSentinel() {
                return sentinels;
            }
        };
    }

    private record Sentinels(List<DataRedisConnectionDetails.Node> getNodes, String getMaster)
            implements DataRedisConnectionDetails.Sentinel {
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
    DataRedisConnectionDetails cluster(List<String> addresses, SslBundle bundle) {
        Nodes nodes = new Nodes(nodes(addresses));
        return new DataRedisConnectionDetails() {
            @Override
            public SslBundle getSslBundle() {
                return bundle;
            }

            @Override
            public Cluster getCluster() {
                return nodes;
            }
        };
    }

    private record Nodes(List<DataRedisConnectionDetails.Node> getNodes)
            implements DataRedisConnectionDetails.Cluster {}

    private static List<DataRedisConnectionDetails.Node> nodes(List<String> addresses) {
        return addresses.stream()
                .map(address -> new DataRedisConnectionDetails.Node(host(address), port(address)))
                .toList();
    }
}
