package io.github.distlock.simulator.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.simulator.Network;
import io.github.distlock.simulator.Simulation;
import io.github.distlock.tests.servers.ZooKeeperServer;
import io.github.distlock.tests.servers.ZooKeeperSettings;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.jute.Record;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.MultiOperationRecord;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.proto.CheckWatchesRequest;
import org.apache.zookeeper.proto.ConnectRequest;
import org.apache.zookeeper.proto.ConnectResponse;
import org.apache.zookeeper.proto.CreateRequest;
import org.apache.zookeeper.proto.CreateTTLRequest;
import org.apache.zookeeper.proto.DeleteRequest;
import org.apache.zookeeper.proto.ExistsRequest;
import org.apache.zookeeper.proto.GetChildrenRequest;
import org.apache.zookeeper.proto.GetDataRequest;
import org.apache.zookeeper.proto.RemoveWatchesRequest;
import org.apache.zookeeper.proto.RequestHeader;
import org.apache.zookeeper.proto.SetDataRequest;
import org.apache.zookeeper.proto.SetWatches;
import org.apache.zookeeper.proto.SyncRequest;
import org.apache.zookeeper.proto.WatcherEvent;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Does the same to a real server and to the model. All messages must be equal, and in the same order for each client.
 * The servers may differ in their first transaction, their clocks, and the numbers of sessions. Nothing here depends on
 * the time that a server needs.
 */
class ZooKeeperModelTest {
    private static final int STEPS = 1500;
    private static final int SESSIONS = 3;
    private static final int SESSION_TIMEOUT = 600_000;
    private static final long LONG_AGO = 3_600_000;

    private static ZooKeeperServer server;

    @BeforeAll
    static void startServer() {
        server = ZooKeeperServer.start(ZooKeeperSettings.defaults()
                .maxSessionTimeout(Duration.ofMillis(SESSION_TIMEOUT))
                .withSystemProperty("znode.container.checkIntervalMs", String.valueOf(LONG_AGO)));
    }

    @AfterAll
    static void stopServer() {
        server.close();
    }

    @Test
    void answersLikeAServer() {
        run(20261130);
    }

    @Test
    void answersLikeAServerAgain() {
        run(20261201);
    }

    @Test
    void endsASilentSession() {
        long seed = 20261202;
        Simulation simulation = new Simulation(seed, null);
        EnsembleSettings settings = new EnsembleSettings(500, 1000, SESSION_TIMEOUT, 6, 3_600_000, 1);
        Ensemble ensemble = new Ensemble(simulation, new Network(simulation, 100_000), settings, 1);
        List<Supplier<Peer>> sides = List.of(
                () -> new RealPeer(server.host(), server.port()),
                () -> new ModeledPeer(simulation, ensemble, "client", 0));
        for (Supplier<Peer> side : sides) {
            try (Peer silent = side.get();
                    Peer other = side.get();
                    Peer again = side.get()) {
                String path = "/silent" + seed;
                ConnectResponse granted = silent.connect(new ConnectRequest(0, 0, 1_000, 0, new byte[16], false));
                var unused = other.connect(new ConnectRequest(0, 0, SESSION_TIMEOUT, 0, new byte[16], false));
                silent.send(new RequestHeader(1, OpCode.create2), create(path));
                assertThat(silent.receive(xid -> OpCode.create2).header().getErr())
                        .isZero();
                other.send(new RequestHeader(1, OpCode.exists), new ExistsRequest(path, true));
                assertThat(other.receive(xid -> OpCode.exists).header().getErr())
                        .isZero();

                Message event = other.receive(xid -> OpCode.exists);

                assertThat(event.body()).isEqualTo(new WatcherEvent(2, 3, path));
                // The server closes all connections of the session after the event, and before the next request.
                other.send(new RequestHeader(2, OpCode.exists), new ExistsRequest(path, false));
                assertThat(other.receive(xid -> OpCode.exists).header().getErr())
                        .isEqualTo(KeeperException.Code.NONODE.intValue());
                ConnectResponse refused = again.connect(
                        new ConnectRequest(0, 0, 1_000, granted.getSessionId(), granted.getPasswd(), false));
                assertThat(refused.getTimeOut()).isZero();
                assertThat(refused.getSessionId()).isZero();
            }
        }
    }

    private static CreateRequest create(String path) {
        return new CreateRequest(path, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL.toFlag());
    }

    private static void run(long seed) {
        Simulation simulation = new Simulation(seed, null);
        Ensemble ensemble = new Ensemble(
                simulation,
                new Network(simulation, 100_000),
                new EnsembleSettings(500, 1000, 600_000, 6, 3_600_000, 1),
                1);
        try (Side real = new Side(() -> new RealPeer(server.host(), server.port()));
                Side model = new Side(() -> new ModeledPeer(simulation, ensemble, "client", 0))) {
            String base = "/t" + Long.toUnsignedString(seed) + "/r";
            new Replay(List.of(real, model), base, new SplittableRandom(seed)).run(seed);
        }
    }

    /** One session, on both servers. */
    private static final class Sessions {
        private final List<SessionOf> sides = new ArrayList<>();
        private final Map<Integer, Integer> types = new HashMap<>();
        private int xid;
    }

    private static final class SessionOf {
        private Peer peer;
        private long id;
        private byte[] password;
        private long seen;
    }

    private static final class Side implements AutoCloseable {
        private final Supplier<Peer> connect;
        private final List<Peer> opened = new ArrayList<>();
        private @Nullable Numbers numbers;

        Side(Supplier<Peer> connect) {
            this.connect = connect;
        }

        Peer open() {
            Peer peer = connect.get();
            opened.add(peer);
            return peer;
        }

        @Override
        public void close() {
            opened.forEach(Peer::close);
        }
    }

    private static final class Replay {
        private final List<Side> sides;
        private final String base;
        private final RandomGenerator random;
        private final List<Sessions> sessions = new ArrayList<>();
        private final List<String> done = new ArrayList<>();

        Replay(List<Side> sides, String base, RandomGenerator random) {
            this.sides = sides;
            this.base = base;
            this.random = random;
        }

        void run(long seed) {
            for (int i = 0; i < SESSIONS; i++) {
                sessions.add(open());
            }
            // Other tests count in the root.
            Request parent = new Request(OpCode.create2, create(Tree.parent(base), CreateMode.PERSISTENT));
            Request root = new Request(OpCode.create2, create(base, CreateMode.PERSISTENT));
            step(sessions.get(0), List.of(parent, root), seed);
            for (int i = 0; i < STEPS; i++) {
                int which = random.nextInt(SESSIONS);
                Sessions session = sessions.get(which);
                int kind = random.nextInt(60);
                if (kind == 0) {
                    step(session, List.of(new Request(OpCode.closeSession, null)), seed);
                    sessions.set(which, open());
                } else if (kind == 1) {
                    reconnect(session, seed);
                } else {
                    List<Request> requests = new ArrayList<>();
                    for (int j = random.nextInt(4); j >= 0; j--) {
                        requests.add(request());
                    }
                    step(session, requests, seed);
                }
            }
            step(sessions.get(0), List.of(new Request(OpCode.closeSession, null)), seed);
        }

        private record Request(int type, @Nullable Record body) {}

        private Sessions open() {
            Sessions made = new Sessions();
            for (Side side : sides) {
                SessionOf session = new SessionOf();
                session.peer = side.open();
                ConnectResponse response =
                        session.peer.connect(new ConnectRequest(0, 0, SESSION_TIMEOUT, 0, new byte[16], false));
                assertThat(response.getTimeOut()).isEqualTo(SESSION_TIMEOUT);
                session.id = response.getSessionId();
                session.password = response.getPasswd();
                made.sides.add(session);
                if (side.numbers == null) {
                    session.peer.send(new RequestHeader(Message.PING, OpCode.ping), null);
                    long zxid = session.peer.receive(xid -> 0).header().getZxid();
                    side.numbers = new Numbers(zxid);
                }
                side.numbers.add(session.id);
            }
            return made;
        }

        /** Breaks the connection, and sets some watches over another one. */
        private void reconnect(Sessions session, long seed) {
            List<String> data = paths();
            List<String> exists = paths();
            List<String> children = paths();
            for (int i = 0; i < sides.size(); i++) {
                SessionOf of = session.sides.get(i);
                of.peer.close();
                of.peer = sides.get(i).open();
                ConnectResponse response =
                        of.peer.connect(new ConnectRequest(0, of.seen, SESSION_TIMEOUT, of.id, of.password, false));
                assertThat(response.getSessionId()).isEqualTo(of.id);
                of.peer.send(
                        new RequestHeader(Message.SET_WATCHES, OpCode.setWatches),
                        new SetWatches(of.seen, data, exists, children));
            }
            done.add("reconnect, watches " + data + exists + children);
            compare(session, 1, false, seed);
        }

        private void step(Sessions session, List<Request> requests, long seed) {
            for (Request request : requests) {
                int xid = ++session.xid;
                session.types.put(xid, request.type());
                done.add("session " + sessions.indexOf(session) + ", request " + xid + " of type " + request.type()
                        + " " + text(request.body()));
                for (SessionOf of : session.sides) {
                    of.peer.send(new RequestHeader(xid, request.type()), request.body());
                }
            }
            compare(session, requests.size(), requests.get(0).type() == OpCode.closeSession, seed);
            if (requests.get(0).type() == OpCode.closeSession) {
                session.sides.forEach(of -> of.peer.close());
            }
        }

        private void compare(Sessions session, int replies, boolean inAnyOrder, long seed) {
            List<List<String>> messages = new ArrayList<>();
            for (int i = 0; i < sides.size(); i++) {
                List<String> texts = new ArrayList<>();
                messages.add(texts);
                read(sides.get(i), session, i, replies, texts, inAnyOrder);
                for (Sessions other : sessions) {
                    if (other != session) {
                        other.sides.get(i).peer.send(new RequestHeader(Message.PING, OpCode.ping), null);
                        read(sides.get(i), other, i, 1, texts, inAnyOrder);
                    }
                }
            }
            assertThat(messages.get(1))
                    .as("seed %s, after %s", seed, done.subList(Math.max(0, done.size() - 30), done.size()))
                    .isEqualTo(messages.get(0));
        }

        private static void read(
                Side side, Sessions session, int index, int replies, List<String> texts, boolean inAnyOrder) {
            SessionOf of = session.sides.get(index);
            List<String> events = new ArrayList<>();
            for (int left = replies; left > 0; ) {
                Message message = of.peer.receive(session.types::get);
                events.add(message.text(side.numbers));
                if (!message.isEvent()) {
                    // The servers delete the nodes of a session in some order.
                    texts.addAll(inAnyOrder ? events.stream().sorted().toList() : events);
                    events.clear();
                    left--;
                    of.seen = message.header().getZxid();
                }
            }
        }

        private static String text(@Nullable Record body) {
            return body instanceof MultiOperationRecord multi
                    ? operations(multi)
                    : String.valueOf(body).trim();
        }

        private static String operations(MultiOperationRecord multi) {
            StringBuilder text = new StringBuilder();
            multi.forEach(operation -> text.append(operation.toRequestRecord()));
            return text.toString();
        }

        private Request request() {
            return switch (random.nextInt(14)) {
                case 0 -> new Request(OpCode.create, create(path(), mode()));
                case 1, 2, 3 -> new Request(OpCode.create2, create(path(), mode()));
                case 4 -> new Request(OpCode.createContainer, create(path(), CreateMode.CONTAINER));
                case 5 -> new Request(OpCode.delete, new DeleteRequest(path(), version()));
                case 6 -> new Request(OpCode.setData, new SetDataRequest(path(), data(), version()));
                case 7 -> new Request(OpCode.exists, new ExistsRequest(path(), random.nextBoolean()));
                case 8 -> new Request(OpCode.getData, new GetDataRequest(path(), random.nextBoolean()));
                case 9 -> new Request(OpCode.getChildren, new GetChildrenRequest(path(), random.nextBoolean()));
                case 10 -> new Request(OpCode.sync, new SyncRequest(path()));
                case 11 ->
                    random.nextBoolean()
                            ? new Request(OpCode.checkWatches, new CheckWatchesRequest(path(), 1 + random.nextInt(3)))
                            : new Request(
                                    OpCode.removeWatches, new RemoveWatchesRequest(path(), 1 + random.nextInt(3)));
                case 12 ->
                    random.nextInt(10) == 0
                            ? new Request(OpCode.createTTL, ttl())
                            : new Request(OpCode.delete, new DeleteRequest(path(), -1));
                default -> new Request(OpCode.multi, multi());
            };
        }

        private MultiOperationRecord multi() {
            MultiOperationRecord made = new MultiOperationRecord();
            for (int i = random.nextInt(5); i >= 0; i--) {
                made.add(
                        switch (random.nextInt(4)) {
                            case 0 -> Op.create(path(), data(), Ids.OPEN_ACL_UNSAFE, mode());
                            case 1 -> Op.delete(path(), version());
                            case 2 -> Op.setData(path(), data(), version());
                            default -> Op.check(path(), version());
                        });
            }
            return made;
        }

        private CreateTTLRequest ttl() {
            return new CreateTTLRequest(
                    path(), data(), Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT_WITH_TTL.toFlag(), 1000);
        }

        private CreateRequest create(String path, CreateMode mode) {
            return new CreateRequest(path, data(), Ids.OPEN_ACL_UNSAFE, mode.toFlag());
        }

        private CreateMode mode() {
            return List.of(
                            CreateMode.PERSISTENT,
                            CreateMode.EPHEMERAL,
                            CreateMode.EPHEMERAL,
                            CreateMode.PERSISTENT_SEQUENTIAL,
                            CreateMode.EPHEMERAL_SEQUENTIAL)
                    .get(random.nextInt(5));
        }

        private byte[] data() {
            return "x".repeat(random.nextInt(3)).getBytes(StandardCharsets.UTF_8);
        }

        private int version() {
            return random.nextInt(4) - 1;
        }

        private List<String> paths() {
            List<String> made = new ArrayList<>();
            for (int i = random.nextInt(4); i > 0; i--) {
                made.add(path());
            }
            return made;
        }

        private String path() {
            String path = base;
            for (int depth = random.nextInt(3); depth > 0; depth--) {
                path += "/" + (char) ('a' + random.nextInt(3));
            }
            return random.nextInt(5) == 0 ? path + String.format("%010d", random.nextInt(4)) : path;
        }
    }
}
