package io.github.distlock.simulator.zookeeper;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.WatcherType;
import org.apache.zookeeper.proto.SetWatches;

/** The watches of one server. Each fires once. */
final class Watches implements Tree.Watches {
    private static final long UNKNOWN_ZXID = -1;

    private final Map<String, Set<ServerConnection>> data = new HashMap<>();
    private final Map<String, Set<ServerConnection>> children = new HashMap<>();

    void addData(String path, ServerConnection connection) {
        add(data, path, connection);
    }

    void addChildren(String path, ServerConnection connection) {
        add(children, path, connection);
    }

    private static void add(Map<String, Set<ServerConnection>> watches, String path, ServerConnection connection) {
        watches.computeIfAbsent(path, key -> new LinkedHashSet<>()).add(connection);
    }

    /** Returns whether a connection has a watch on a node. */
    boolean has(String path, WatcherType type, ServerConnection connection) {
        return (type != WatcherType.Children
                        && data.getOrDefault(path, Set.of()).contains(connection))
                || (type != WatcherType.Data
                        && children.getOrDefault(path, Set.of()).contains(connection));
    }

    /** Removes the watches of a connection on a node. Returns whether it had any. */
    boolean remove(String path, WatcherType type, ServerConnection connection) {
        boolean removed = type != WatcherType.Children && remove(data, path, connection);
        return (type != WatcherType.Data && remove(children, path, connection)) || removed;
    }

    private static boolean remove(
            Map<String, Set<ServerConnection>> watches, String path, ServerConnection connection) {
        Set<ServerConnection> found = watches.get(path);
        if (found == null || !found.remove(connection)) {
            return false;
        }
        if (found.isEmpty()) {
            watches.remove(path);
        }
        return true;
    }

    /** Removes all watches of a connection. */
    void remove(ServerConnection connection) {
        for (Map<String, Set<ServerConnection>> watches : List.of(data, children)) {
            watches.values().removeIf(found -> found.remove(connection) && found.isEmpty());
        }
    }

    /** Sets the watches of a client that has reconnected. It hears at once of changes that it has missed. */
    void restore(SetWatches wanted, Tree tree, ServerConnection connection) {
        long seen = wanted.getRelativeZxid();
        for (String path : wanted.getDataWatches()) {
            Node node = tree.get(path);
            if (node == null) {
                connection.event(EventType.NodeDeleted, path, UNKNOWN_ZXID);
            } else if (node.mzxid > seen) {
                connection.event(EventType.NodeDataChanged, path, UNKNOWN_ZXID);
            } else {
                addData(path, connection);
            }
        }
        for (String path : wanted.getExistWatches()) {
            if (tree.get(path) != null) {
                connection.event(EventType.NodeCreated, path, UNKNOWN_ZXID);
            } else {
                addData(path, connection);
            }
        }
        for (String path : wanted.getChildWatches()) {
            Node node = tree.get(path);
            if (node == null) {
                connection.event(EventType.NodeDeleted, path, UNKNOWN_ZXID);
            } else if (node.pzxid > seen) {
                connection.event(EventType.NodeChildrenChanged, path, UNKNOWN_ZXID);
            } else {
                addChildren(path, connection);
            }
        }
    }

    @Override
    public void created(String path, long zxid) {
        fire(data, path, EventType.NodeCreated, zxid, Set.of());
        fire(children, Tree.parent(path), EventType.NodeChildrenChanged, zxid, Set.of());
    }

    @Override
    public void written(String path, long zxid) {
        fire(data, path, EventType.NodeDataChanged, zxid, Set.of());
    }

    /** A client with both kinds of watches gets one event. */
    @Override
    public void deleted(String path, long zxid) {
        Set<ServerConnection> notified = fire(data, path, EventType.NodeDeleted, zxid, Set.of());
        fire(children, path, EventType.NodeDeleted, zxid, notified);
        fire(children, Tree.parent(path), EventType.NodeChildrenChanged, zxid, Set.of());
    }

    private static Set<ServerConnection> fire(
            Map<String, Set<ServerConnection>> watches,
            String path,
            EventType type,
            long zxid,
            Set<ServerConnection> except) {
        Set<ServerConnection> found = watches.remove(path);
        if (found == null) {
            return Set.of();
        }
        for (ServerConnection connection : new ArrayList<>(found)) {
            if (!except.contains(connection)) {
                connection.event(type, path, zxid);
            }
        }
        return found;
    }
}
