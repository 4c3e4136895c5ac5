package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketAddress;
import java.security.GeneralSecurityException;
import javax.net.ssl.HostnameVerifier;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.SSLSocketFactory;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.HostAndPortMapper;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.JedisSocketFactory;
import redis.clients.jedis.SslOptions;
import redis.clients.jedis.exceptions.JedisConnectionException;

/**
 * The socket of one connection, which any thread can reset.
 *
 * <p>A reset closes the raw socket, also under TLS: closing a TLS socket waits for a write that is blocked. The maker
 * publishes each raw socket before it uses the socket, and then reads whether there was a reset. A reset is noted
 * before it reads the raw socket. So one of the two threads sees the other, and the socket is closed.
 */
final class ConnectionSocket implements JedisSocketFactory {
    private final HostAndPort server;
    private final JedisClientConfig config;
    private final Deadline deadline;
    private volatile @Nullable Socket raw;
    private volatile boolean reset;
    private boolean made;

    /**
     * Describes a socket, and makes none yet.
     *
     * @param config the settings of TLS
     * @param deadline when the socket must have been connected; a lookup of the host has no limit
     */
    ConnectionSocket(HostAndPort server, JedisClientConfig config, Deadline deadline) {
        this.server = server;
        this.config = config;
        this.deadline = deadline;
    }

    boolean isReset() {
        return reset;
    }

    /**
     * Resets the socket, now or as soon as it is made. A thread that connects, reads or writes here wakes up. A server
     * that was reached over TCP discards what it has not read yet.
     */
    void reset() {
        reset = true;
        Socket socket = raw;
        if (socket != null) {
            close(socket);
        }
    }

    private static void close(Socket socket) {
        try (socket) {
            socket.setSoLinger(true, 0);
        } catch (IOException e) {
            // The socket is closed already.
        }
    }

    @Override
    public Socket createSocket() {
        if (made) {
            // Jedis would connect again, and would not authenticate.
            throw new JedisConnectionException("the connection has been reset");
        }
        made = true;
        return server instanceof SocketFile file ? connected(file) : connected();
    }

    private Socket connected(SocketFile file) {
        try {
            return connected(new UnixSocket(), file.address(), deadline.remainingMillis());
        } catch (IOException e) {
            throw new JedisConnectionException("cannot connect to " + file + ": " + e.getMessage(), e);
        }
    }

    private Socket connected() {
        HostAndPortMapper mapper = config.getHostAndPortMapper();
        HostAndPort mapped = mapper == null ? null : mapper.getHostAndPort(server);
        HostAndPort address = mapped == null ? server : mapped;
        try {
            Socket socket = connected(address);
            return config.isSsl() || config.getSslOptions() != null ? withTls(socket, address) : socket;
        } catch (IOException | GeneralSecurityException e) {
            throw new JedisConnectionException("cannot connect to " + address + ": " + e, e);
        }
    }

    private Socket connected(HostAndPort address) throws IOException {
        InetAddress[] hosts = InetAddress.getAllByName(address.getHost());
        for (int i = 0; ; i++) {
            // An address that does not answer leaves time for the others.
            int millis = Math.max(1, deadline.remainingMillis() / (hosts.length - i));
            try {
                return connected(new Socket(), new InetSocketAddress(hosts[i], address.getPort()), millis);
            } catch (IOException e) {
                if (reset || i == hosts.length - 1) {
                    throw e;
                }
            }
        }
    }

    private Socket connected(Socket socket, SocketAddress address, int millis) throws IOException {
        raw = socket;
        boolean connected = false;
        try {
            if (reset) {
                throw new IOException("the connection has been reset");
            }
            socket.setKeepAlive(true);
            socket.setTcpNoDelay(true);
            socket.connect(address, millis);
            connected = true;
            return socket;
        } finally {
            if (!connected) {
                close(socket);
            }
        }
    }

    /** Does what Jedis does. Without settings, the certificate must be trusted and name the host. */
    @SuppressWarnings("deprecation") // Callers that still use these settings must not lose them.
    private Socket withTls(Socket socket, HostAndPort address) throws IOException, GeneralSecurityException {
        SslOptions options = config.getSslOptions();
        socket.setSoTimeout(deadline.remainingMillis());
        SSLSocketFactory factory = options == null
                ? config.getSslSocketFactory()
                : context(options).getSocketFactory();
        if (factory == null) {
            factory = (SSLSocketFactory) SSLSocketFactory.getDefault();
        }
        SSLParameters parameters = options == null ? config.getSslParameters() : options.getSslParameters();
        if (parameters == null) {
            parameters = new SSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
        }
        SSLSocket secured = (SSLSocket) factory.createSocket(socket, address.getHost(), address.getPort(), true);
        secured.setSSLParameters(parameters);
        secured.startHandshake();
        HostnameVerifier verifier = config.getHostnameVerifier();
        if (verifier != null && !verifier.verify(address.getHost(), secured.getSession())) {
            throw new SSLPeerUnverifiedException("the hostname verifier rejects " + address.getHost());
        }
        return secured;
    }

    private static SSLContext context(SslOptions options) throws GeneralSecurityException {
        try {
            return options.createSslContext();
        } catch (IOException e) {
            throw new GeneralSecurityException("a key store or trust store cannot be read: " + e);
        }
    }
}
