package org.apache.zookeeper;

import io.github.distlock.simulator.zookeeper.Addresses;
import io.github.distlock.simulator.zookeeper.EnsembleClient;
import io.github.distlock.simulator.zookeeper.ServerConnection;
import io.github.distlock.simulator.zookeeper.Signal;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Queue;
import org.apache.jute.BinaryOutputArchive;
import org.apache.jute.Record;
import org.apache.zookeeper.ClientCnxn.EndOfStreamException;
import org.apache.zookeeper.ClientCnxn.Packet;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.proto.ReplyHeader;
import org.jspecify.annotations.Nullable;

/**
 * The socket of ZooKeeper's own client in a simulation. It is in this package because ZooKeeper's client lets only
 * classes of its package carry its packets. The system property {@code zookeeper.clientCnxnSocket} selects it.
 *
 * <p>As ZooKeeper's own sockets, it sends nothing between the request for a session and its answer.
 */
public final class SimulatedClientSocket extends ClientCnxnSocket {
    private static final long NANOS = 1_000_000;

    private final Signal signal = new Signal();
    private @Nullable SocketAddress address;
    private @Nullable Open open;

    /** One connection. */
    private final class Open implements EnsembleClient {
        private final Deque<byte[]> received = new ArrayDeque<>();
        private @Nullable ServerConnection connection;
        private boolean opened;
        private boolean primed;
        private boolean asked;
        private boolean closed;

        @Override
        public void opened() {
            opened = true;
            signal.give();
        }

        @Override
        public void received(@Nullable ReplyHeader header, @Nullable Record body) {
            received.add(bytes(header, body));
            signal.give();
        }

        @Override
        public void closed() {
            closed = true;
            signal.give();
        }

        boolean maySend() {
            return primed && (initialized || !asked);
        }

        boolean hasNews() {
            return closed || (opened && !primed) || !received.isEmpty();
        }
    }

    /**
     * Creates a socket. ZooKeeper's client calls this by its name.
     *
     * @param clientConfig the settings of the client
     * @throws IOException if the settings are not valid
     */
    public SimulatedClientSocket(ZKClientConfig clientConfig) throws IOException {
        this.clientConfig = clientConfig;
        initProperties();
    }

    private static byte[] bytes(@Nullable ReplyHeader header, @Nullable Record body) {
        try {
            ByteArrayOutputStream bytes = new ByteArrayOutputStream();
            BinaryOutputArchive archive = BinaryOutputArchive.getArchive(bytes);
            if (header != null) {
                header.serialize(archive, "header");
            }
            if (body != null) {
                body.serialize(archive, "response");
            }
            return bytes.toByteArray();
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    boolean isConnected() {
        return open != null;
    }

    @Override
    void connect(InetSocketAddress to) {
        initialized = false;
        address = to;
        Open made = new Open();
        made.connection = Addresses.connect(to, made);
        open = made;
    }

    @Override
    SocketAddress getRemoteSocketAddress() {
        return address;
    }

    @Override
    SocketAddress getLocalSocketAddress() {
        return address;
    }

    @Override
    void cleanup() {
        Open ended = open;
        open = null;
        if (ended != null) {
            ended.connection.close();
        }
    }

    @Override
    void packetAdded() {
        signal.give();
    }

    @Override
    void onClosing() {
        signal.give();
    }

    @Override
    void saslCompleted() {}

    @Override
    void connectionPrimed() {}

    @Override
    void doTransport(int waitTimeOut, Queue<Packet> pendingQueue, ClientCnxn cnxn) throws IOException {
        Open present = open;
        if (!present.hasNews() && !(present.maySend() && !outgoingQueue.isEmpty())) {
            signal.await(waitTimeOut * NANOS);
        }
        updateNow();
        if (present.opened && !present.primed) {
            updateLastSendAndHeard();
            sendThread.primeConnection();
            present.primed = true;
        }
        receive(present);
        if (present.closed) {
            throw new EndOfStreamException("the server has closed the connection");
        }
        while (present.maySend() && !outgoingQueue.isEmpty()) {
            send(present, pendingQueue, cnxn);
        }
    }

    private void receive(Open present) throws IOException {
        while (!present.received.isEmpty()) {
            incomingBuffer = ByteBuffer.wrap(present.received.remove());
            recvCount.getAndIncrement();
            if (initialized) {
                sendThread.readResponse(incomingBuffer);
            } else {
                readConnectResult();
                initialized = true;
            }
            updateLastHeard();
        }
    }

    private void send(Open present, Queue<Packet> pendingQueue, ClientCnxn cnxn) {
        Packet packet = outgoingQueue.remove();
        updateLastSend();
        if (packet.requestHeader == null) {
            present.asked = true;
        } else if (packet.requestHeader.getType() != OpCode.ping && packet.requestHeader.getType() != OpCode.auth) {
            packet.requestHeader.setXid(cnxn.getXid());
            synchronized (pendingQueue) {
                pendingQueue.add(packet);
            }
        }
        sentCount.getAndIncrement();
        present.connection.send(packet.requestHeader, packet.request);
    }

    @Override
    void testableCloseSocket() {
        open.connection.close();
    }

    @Override
    void close() {}

    @Override
    void sendPacket(Packet packet) {
        open.connection.send(packet.requestHeader, packet.request);
    }
}
