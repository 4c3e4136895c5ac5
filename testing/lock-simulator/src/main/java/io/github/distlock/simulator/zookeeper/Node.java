package io.github.distlock.simulator.zookeeper;

import java.util.LinkedHashSet;
import java.util.Set;
import org.apache.zookeeper.data.Stat;

/** A node of a {@link Tree}. */
final class Node {
    /** The owner that marks a container node. */
    static final long CONTAINER = Long.MIN_VALUE;

    final long czxid;
    final long ctime;
    final long owner;
    final Set<String> children = new LinkedHashSet<>();
    byte[] data;
    long mzxid;
    long mtime;
    long pzxid;
    int version;
    /** How many children clients have created. It gives sequential nodes their numbers. */
    int creations;

    Node(byte[] data, long owner, long zxid, long time) {
        this.data = data;
        this.owner = owner;
        czxid = zxid;
        mzxid = zxid;
        pzxid = zxid;
        ctime = time;
        mtime = time;
    }

    Node copy() {
        Node copy = new Node(data, owner, czxid, ctime);
        copy.children.addAll(children);
        copy.mzxid = mzxid;
        copy.mtime = mtime;
        copy.pzxid = pzxid;
        copy.version = version;
        copy.creations = creations;
        return copy;
    }

    boolean isEphemeral() {
        return owner != 0 && owner != CONTAINER;
    }

    Stat stat() {
        // The servers count creations, and show changes of children: a child that is gone was changed twice.
        int changes = creations * 2 - children.size();
        long shownOwner = isEphemeral() ? owner : 0;
        return new Stat(
                czxid, mzxid, ctime, mtime, version, changes, 0, shownOwner, data.length, children.size(), pzxid);
    }
}
