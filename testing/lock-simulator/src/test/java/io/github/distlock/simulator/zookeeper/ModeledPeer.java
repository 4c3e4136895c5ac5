package io.github.distlock.simulator.zookeeper;

import io.github.distlock.simulator.Simulation;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.BooleanSupplier;
import java.util.function.IntUnaryOperator;
import org.apache.jute.Record;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ConnectResponse;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.jspecify.annotations.Nullable;

/** A connection to a model. It runs the simulation until a message arrives. */
final class ModeledPeer implements Peer, EnsembleClient {
    private final Simulation simulation;
    private final ServerConnection connection;
    private final Deque<Message> messages = new ArrayDeque<>();
    private @Nullable ConnectResponse response;
    private boolean opened;
    private boolean closed;

    ModeledPeer(Simulation simulation, Ensemble ensemble, String name, int server) {
        this.simulation = simulation;
        connection = ensemble.connect(name, server, this);
        run(() -> opened);
    }

    private void run(BooleanSupplier until) {
        simulation.run(simulation.nanoTime() + 60_000_000_000L, () -> until.getAsBoolean() || closed);
        if (!until.getAsBoolean()) {
            throw new IllegalStateException(closed ? "the server has closed the connection" : "the server is silent");
        }
    }

    @Override
    public ConnectResponse connect(ConnectRequest request) {
        connection.send(null, request);
        run(() -> response != null);
        return response;
    }

    @Override
    public void send(RequestHeader header, @Nullable Record body) {
        connection.send(header, body);
    }

    @Override
    public Message receive(IntUnaryOperator types) {
        run(() -> !messages.isEmpty());
        return messages.remove();
    }

    boolean isClosed() {
        return closed;
    }

    @Override
    public void close() {
        connection.close();
    }

    @Override
    public void opened() {
        opened = true;
    }

    @Override
    public void received(@Nullable ReplyHeader header, @Nullable Record body) {
        if (header == null) {
            response = (ConnectResponse) body;
        } else {
            messages.add(new Message(header, body));
        }
    }

    @Override
    public void closed() {
        closed = true;
    }
}
