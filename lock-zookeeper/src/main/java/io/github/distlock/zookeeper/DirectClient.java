package io.github.distlock.zookeeper;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.IntConsumer;
import org.apache.curator.utils.ZookeeperFactory;
import org.apache.jute.Record;
import org.apache.zookeeper.AsyncCallback.ChildrenCallback;
import org.apache.zookeeper.AsyncCallback.Create2Callback;
import org.apache.zookeeper.AsyncCallback.StatCallback;
import org.apache.zookeeper.AsyncCallback.VoidCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ConnectStringParser;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.apache.zookeeper.proto.Create2Response;
import org.apache.zookeeper.proto.CreateRequest;
import org.apache.zookeeper.proto.DeleteRequest;
import org.apache.zookeeper.proto.ExistsRequest;
import org.apache.zookeeper.proto.ExistsResponse;
import org.apache.zookeeper.proto.GetChildrenRequest;
import org.apache.zookeeper.proto.GetChildrenResponse;
import org.apache.zookeeper.proto.ReplyHeader;
import org.apache.zookeeper.proto.RequestHeader;
import org.jspecify.annotations.Nullable;

/**
 * The handle of the backend's own client. It gives the answers of frequent requests on ZooKeeper's send thread, which
 * reads them. ZooKeeper itself gives the answers to asynchronous requests on the event thread, which costs a thread
 * switch for each of them. Its synchronous requests save the switch, but have no deadline.
 *
 * <h2>How</h2>
 *
 * ZooKeeper's client lets the watch of a request {@linkplain WatchRegistration#register register} itself when the
 * request has ended: by its answer, or by the loss of the connection. The send thread does this in both cases. If the
 * handle is dead, the thread that sends the request does it at once. So a registration that only passes the end on
 * gets it before any event thread does.
 *
 * <h2>What callbacks must not do</h2>
 *
 * They neither block nor call out, because the connection stands still meanwhile. After the end of a handle, ZooKeeper
 * even holds a lock of the client that each request needs.
 *
 * <h2>Order</h2>
 *
 * These answers have the order of their requests. But they may overtake events, and answers of other requests, which
 * still wait for the event thread. {@link #isWatched} does not depend on that thread.
 *
 * <p>Thread-safe.
 */
final class DirectClient extends ZooKeeper {
    private final @Nullable String chroot;

    private DirectClient(
            String connectString, int sessionTimeout, Watcher watcher, boolean canBeReadOnly, ZKClientConfig config)
            throws IOException {
        super(connectString, sessionTimeout, watcher, canBeReadOnly, config);
        this.chroot = new ConnectStringParser(connectString).getChrootPath();
    }

    /** Returns what makes such handles for Curator. */
    static ZookeeperFactory factory() {
        return new ZookeeperFactory() {
            @Override
            public ZooKeeper newZooKeeper(
                    String connectString, int sessionTimeout, Watcher watcher, boolean canBeReadOnly)
                    throws IOException {
                return newZooKeeper(connectString, sessionTimeout, watcher, canBeReadOnly, new ZKClientConfig());
            }

            @Override
            public ZooKeeper newZooKeeper(
                    String connectString,
                    int sessionTimeout,
                    Watcher watcher,
                    boolean canBeReadOnly,
                    ZKClientConfig config)
                    throws IOException {
                return new DirectClient(connectString, sessionTimeout, watcher, canBeReadOnly, config);
            }
        };
    }

    @Override
    public void create(
            String path, byte[] data, List<ACL> acl, CreateMode mode, Create2Callback callback, Object context) {
        if (mode.isContainer() || mode.isTTL()) {
            super.create(path, data, acl, mode, callback, context);
            return;
        }
        CreateRequest request = new CreateRequest(onServer(path), data, acl, mode.toFlag());
        Create2Response answer = new Create2Response();
        send(OpCode.create2, request, answer, code -> {
            boolean made = code == Code.OK.intValue();
            String name = made ? ofClient(answer.getPath()) : null;
            callback.processResult(code, path, context, name, made ? answer.getStat() : null);
        });
    }

    @Override
    public void delete(String path, int version, VoidCallback callback, Object context) {
        DeleteRequest request = new DeleteRequest(onServer(path), version);
        send(OpCode.delete, request, null, code -> callback.processResult(code, path, context));
    }

    @Override
    public void exists(String path, boolean watch, StatCallback callback, Object context) {
        if (watch) {
            super.exists(path, true, callback, context);
            return;
        }
        ExistsResponse answer = new ExistsResponse();
        send(OpCode.exists, new ExistsRequest(onServer(path), false), answer, code -> {
            Stat stat = code == Code.OK.intValue() ? answer.getStat() : null;
            callback.processResult(code, path, context, stat);
        });
    }

    @Override
    public void getChildren(String path, boolean watch, ChildrenCallback callback, Object context) {
        if (watch) {
            super.getChildren(path, true, callback, context);
            return;
        }
        GetChildrenResponse answer = new GetChildrenResponse();
        send(OpCode.getChildren, new GetChildrenRequest(onServer(path), false), answer, code -> {
            List<String> children = code == Code.OK.intValue() ? answer.getChildren() : null;
            callback.processResult(code, path, context, children);
        });
    }

    /**
     * Returns whether the data of a node are watched, and this client has received no event that ends the watch. So if
     * the caller knows an answer, the server has sent no such event before that answer.
     */
    boolean isWatched(String path) {
        return getDataWatches().contains(path);
    }

    private void send(int type, Record request, @Nullable Record answer, IntConsumer ended) {
        RequestHeader header = new RequestHeader(0, type);
        ReplyHeader reply = new ReplyHeader();
        Object unused =
                cnxn.queuePacket(header, reply, request, answer, null, null, null, null, new EndOfRequest(ended));
    }

    private String onServer(String path) {
        return chroot == null ? path : path.equals("/") ? chroot : chroot + path;
    }

    private String ofClient(String path) {
        return chroot == null ? path : path.substring(chroot.length());
    }

    /** Passes the end of a request on, and registers nothing. */
    @SuppressWarnings("ClassCanBeStatic") // The superclass belongs to an instance.
    private final class EndOfRequest extends WatchRegistration {
        private final IntConsumer ended;

        EndOfRequest(IntConsumer ended) {
            super(event -> {}, "/");
            this.ended = ended;
        }

        @Override
        public void register(int code) {
            try {
                ended.accept(code);
            } catch (Throwable e) {
                // The answer could not be read, or the process lacks memory.
                ended.accept(Code.SYSTEMERROR.intValue());
            }
        }

        @Override
        protected Map<String, Set<Watcher>> getWatches(int code) {
            return Map.of();
        }
    }
}
