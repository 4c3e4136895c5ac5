package io.github.distlock.simulator.zookeeper;

import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * The addresses of the servers of the present simulation. The port says which process connects, and the address says to
 * which server. No such address is ever looked up or connected to.
 */
public final class Addresses {
    private static final int FIRST_PORT = 2181;
    private static final List<String> CLIENTS = new ArrayList<>();
    private static @Nullable Ensemble ensemble;

    private Addresses() {}

    /** Begins the addresses of another simulation. */
    static void begin(Ensemble present) {
        ensemble = present;
        CLIENTS.clear();
    }

    /**
     * Returns the connect string for a process. ZooKeeper's clients shuffle the servers, but those that start at the
     * same time do it in the same way. So each process has the servers in another order.
     */
    static String connectString(String process, int servers, RandomGenerator random) {
        CLIENTS.add(process);
        int port = FIRST_PORT + CLIENTS.size() - 1;
        int first = random.nextInt(servers);
        return IntStream.range(first, first + servers)
                .mapToObj(server -> "10.0.0." + (server % servers + 1) + ":" + port)
                .collect(Collectors.joining(","));
    }

    /**
     * Opens a connection.
     *
     * @param address an address of {@link #connectString}
     * @param client hears of the connection
     * @return the connection, which is not open yet
     */
    public static ServerConnection connect(InetSocketAddress address, EnsembleClient client) {
        byte[] bytes = address.getAddress().getAddress();
        Ensemble present = ensemble;
        if (present == null) {
            throw new IllegalStateException("no simulation runs");
        }
        return present.connect(CLIENTS.get(address.getPort() - FIRST_PORT), bytes[bytes.length - 1] - 1, client);
    }
}
