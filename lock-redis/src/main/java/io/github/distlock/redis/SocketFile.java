package io.github.distlock.redis;

import java.net.UnixDomainSocketAddress;
import redis.clients.jedis.HostAndPort;

/** The file of a Unix socket, in the place of a host and a port. */
final class SocketFile extends HostAndPort {
    private static final long serialVersionUID = 1;
    private static final int NO_PORT = 0;

    private final UnixDomainSocketAddress address;

    /**
     * Names a file.
     *
     * @throws java.nio.file.InvalidPathException if no file can have this path
     */
    SocketFile(String path) {
        super(path, NO_PORT);
        this.address = UnixDomainSocketAddress.of(path);
    }

    UnixDomainSocketAddress address() {
        return address;
    }

    @Override
    public String toString() {
        return "unix:" + getHost();
    }
}
