package io.github.distlock.simulator.zookeeper;

import static java.util.Objects.requireNonNull;

import io.github.distlock.simulator.Connection;
import io.github.distlock.simulator.zookeeper.Transaction.Change;
import io.github.distlock.simulator.zookeeper.Transaction.Creation;
import io.github.distlock.simulator.zookeeper.Transaction.Refusal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import org.apache.jute.Record;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.MultiOperationRecord;
import org.apache.zookeeper.MultiResponse;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.proto.CheckWatchesRequest;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ConnectResponse;
import org.apache.zookeeper.proto.Create2Response;
import org.apache.zookeeper.proto.CreateResponse;
import org.apache.zookeeper.proto.ExistsRequest;
import org.apache.zookeeper.proto.ExistsResponse;
import org.apache.zookeeper.proto.GetChildrenRequest;
import org.apache.zookeeper.proto.GetChildrenResponse;
import org.apache.zookeeper.proto.GetDataRequest;
import org.apache.zookeeper.proto.GetDataResponse;
import org.apache.zookeeper.proto.RemoveWatchesRequest;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.apache.zookeeper.proto.SetDataResponse;
import org.apache.zookeeper.proto.SetWatches;
import org.apache.zookeeper.proto.SyncRequest;
import org.apache.zookeeper.proto.SyncResponse;
import org.apache.zookeeper.proto.WatcherEvent;
import org.jspecify.annotations.Nullable;

/**
 * A client's connection to one server. The server answers the requests of a connection in order: a read waits until the
 * writes before it are committed here. A connection that the server closes ends behind what it has sent before.
 */
public final class ServerConnection {
    private static final int EVENT_XID = -1;
    private static final int PASSWORD_LENGTH = 16;

    private final Server server;
    private final String name;
    private final Connection link;
    private final EnsembleClient client;
    private final Deque<Request> requests = new ArrayDeque<>();
    private long session;
    private int timeout;
    private boolean closed;
    private boolean clientHasClosed;

    ServerConnection(Server server, String name, Connection link, EnsembleClient client) {
        this.name = name;
        this.server = server;
        this.link = link;
        this.client = client;
        link.onBrokenForClient(this::endClient);
        link.onBrokenForServer(() -> server.deliver(this::end));
    }

    private void endClient() {
        if (!clientHasClosed) {
            clientHasClosed = true;
            client.closed();
        }
    }

    /**
     * Sends a message to the server.
     *
     * @param header null for the request for a session, which comes first
     * @param body null if the request has only a header
     */
    public void send(@Nullable RequestHeader header, @Nullable Record body) {
        link.toServer(() -> server.deliver(() -> receive(header, body)));
    }

    /** Closes the connection at the client's side. The client hears no more of it. */
    public void close() {
        clientHasClosed = true;
        link.closeByClient();
    }

    private void receive(@Nullable RequestHeader header, @Nullable Record body) {
        if (closed) {
            return;
        }
        if (!server.isServing()) {
            closeByServer();
        } else if (header == null) {
            connect((ConnectRequest) requireNonNull(body));
        } else {
            server.touch(session, timeout);
            add(new Request(this, header, body));
        }
    }

    private void connect(ConnectRequest request) {
        // The client has seen more than this server.
        if (request.getLastZxidSeen() > server.tree().zxid()) {
            closeByServer();
            return;
        }
        timeout = server.granted(request.getTimeOut());
        session = request.getSessionId();
        if (session == 0) {
            session = server.newSession();
            add(new Request(this, new RequestHeader(0, OpCode.createSession), null));
        } else {
            server.closeOthers(this);
            server.reopen(this);
        }
    }

    private void add(Request request) {
        requests.add(request);
        if (request.isForLeader()) {
            server.forward(request);
        }
        answerReads();
    }

    private void answerReads() {
        while (!closed && !requests.isEmpty() && !requests.peek().isForLeader()) {
            read(requests.remove());
        }
    }

    /** The session was reopened, or does not exist any more. */
    void reopened(boolean exists) {
        if (exists) {
            connected();
        } else {
            message(null, new ConnectResponse(0, 0, 0, new byte[PASSWORD_LENGTH], false));
            closeByServer();
        }
    }

    private void connected() {
        server.world().trace(server.name(), () -> name + " has session 0x" + Long.toHexString(session));
        message(null, new ConnectResponse(0, timeout, session, new byte[PASSWORD_LENGTH], false));
    }

    /** The leader has answered a sync, and this server has applied what came before. */
    void synced(Request request) {
        SyncRequest sync = (SyncRequest) requireNonNull(request.body());
        reply(request, Code.OK, new SyncResponse(sync.getPath()));
        finish(request);
    }

    /** A request of this connection was committed, and this server has applied it. */
    void committed(Transaction transaction, List<@Nullable Stat> results) {
        Request request = requireNonNull(transaction.origin());
        Code refusal = transaction.changes().get(0) instanceof Refusal refused ? refused.code() : Code.OK;
        if (refusal == Code.SESSIONMOVED) {
            closeByServer();
        } else if (request.header().getType() == OpCode.createSession) {
            connected();
        } else if (server.losesAnswer(request)) {
            server.world().trace(server.name(), () -> "loses an answer to " + name);
            breakOff();
        } else if (request.body() instanceof MultiOperationRecord multi) {
            reply(request, Code.OK, answer(multi, transaction, results));
        } else {
            Record body =
                    refusal == Code.OK ? answer(request, transaction.changes().get(0), results.get(0)) : null;
            reply(request, refusal, body);
        }
        if (request.header().getType() == OpCode.closeSession) {
            closeByServer();
        }
        finish(request);
    }

    private void finish(Request request) {
        requests.remove(request);
        answerReads();
    }

    private static @Nullable Record answer(Request request, Change change, @Nullable Stat stat) {
        return switch (request.header().getType()) {
            case OpCode.create -> new CreateResponse(((Creation) change).path());
            case OpCode.create2, OpCode.createContainer -> new Create2Response(((Creation) change).path(), stat);
            case OpCode.setData -> new SetDataResponse(stat);
            default -> null;
        };
    }

    private static MultiResponse answer(
            MultiOperationRecord multi, Transaction transaction, List<@Nullable Stat> results) {
        MultiResponse response = new MultiResponse();
        Iterator<Op> operations = multi.iterator();
        for (int i = 0; i < results.size(); i++) {
            Change change = transaction.changes().get(i);
            int type = operations.next().getType();
            response.add(
                    change instanceof Refusal refused
                            ? new OpResult.ErrorResult(refused.code().intValue())
                            : result(type, change, results.get(i)));
        }
        return response;
    }

    private static OpResult result(int type, Change change, @Nullable Stat stat) {
        return switch (type) {
            case OpCode.create -> new OpResult.CreateResult(((Creation) change).path());
            case OpCode.create2, OpCode.createContainer -> new OpResult.CreateResult(((Creation) change).path(), stat);
            case OpCode.setData -> new OpResult.SetDataResult(stat);
            case OpCode.delete -> new OpResult.DeleteResult();
            default -> new OpResult.CheckResult();
        };
    }

    private void read(Request request) {
        if (request.header().getType() == OpCode.ping) {
            reply(request, Code.OK, null);
            return;
        }
        Record body = requireNonNull(request.body());
        switch (request.header().getType()) {
            case OpCode.exists -> exists(request, (ExistsRequest) body);
            case OpCode.getData -> getData(request, (GetDataRequest) body);
            case OpCode.getChildren -> getChildren(request, (GetChildrenRequest) body);
            case OpCode.setWatches -> {
                server.watches().restore((SetWatches) body, server.tree(), this);
                reply(request, Code.OK, null);
            }
            case OpCode.checkWatches -> checkWatches(request, (CheckWatchesRequest) body);
            case OpCode.removeWatches -> removeWatches(request, (RemoveWatchesRequest) body);
            default -> throw new IllegalArgumentException("not modeled: " + request.header());
        }
    }

    private void exists(Request request, ExistsRequest asked) {
        if (asked.getWatch()) {
            server.watches().addData(asked.getPath(), this);
        }
        Node node = server.tree().get(asked.getPath());
        reply(request, node, node == null ? null : new ExistsResponse(node.stat()));
    }

    private void getData(Request request, GetDataRequest asked) {
        Node node = server.tree().get(asked.getPath());
        if (node != null && asked.getWatch()) {
            server.watches().addData(asked.getPath(), this);
        }
        reply(request, node, node == null ? null : new GetDataResponse(node.data, node.stat()));
    }

    private void getChildren(Request request, GetChildrenRequest asked) {
        Node node = server.tree().get(asked.getPath());
        if (node != null && asked.getWatch()) {
            server.watches().addChildren(asked.getPath(), this);
        }
        reply(request, node, node == null ? null : new GetChildrenResponse(new ArrayList<>(node.children)));
    }

    private void checkWatches(Request request, CheckWatchesRequest asked) {
        WatcherType type = WatcherType.fromInt(asked.getType());
        boolean found = server.watches().has(asked.getPath(), type, this);
        reply(request, found ? Code.OK : Code.NOWATCHER, null);
    }

    private void removeWatches(Request request, RemoveWatchesRequest asked) {
        WatcherType type = WatcherType.fromInt(asked.getType());
        boolean removed = server.watches().remove(asked.getPath(), type, this);
        reply(request, removed ? Code.OK : Code.NOWATCHER, null);
    }

    private void reply(Request request, @Nullable Node node, @Nullable Record body) {
        reply(request, node == null ? Code.NONODE : Code.OK, body);
    }

    private void reply(Request request, Code code, @Nullable Record body) {
        message(new ReplyHeader(request.header().getXid(), server.tree().zxid(), code.intValue()), body);
    }

    /** Sends an event. It comes before each reply that shows the same change. */
    void event(EventType type, String path, long zxid) {
        WatcherEvent event = new WatcherEvent(type.getIntValue(), KeeperState.SyncConnected.getIntValue(), path);
        message(new ReplyHeader(EVENT_XID, zxid, Code.OK.intValue()), event);
    }

    private void message(@Nullable ReplyHeader header, @Nullable Record body) {
        if (!closed) {
            link.toClient(() -> {
                if (!clientHasClosed) {
                    client.received(header, body);
                }
            });
        }
    }

    /** Closes the connection behind all that was sent. */
    void closeByServer() {
        if (!closed) {
            link.toClient(this::endClient);
            end();
        }
    }

    /** Loses the connection, with the messages that are under way. */
    void breakOff() {
        link.breakOff();
    }

    /** Drops what the server keeps for the connection. */
    private void end() {
        closed = true;
        requests.clear();
        server.ended(this);
    }

    long session() {
        return session;
    }

    int timeout() {
        return timeout;
    }

    Server server() {
        return server;
    }

    /** Breaks the connection: its server has crashed. */
    void crash() {
        closed = true;
        link.breakOff();
    }
}
