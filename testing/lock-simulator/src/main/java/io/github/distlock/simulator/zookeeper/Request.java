package io.github.distlock.simulator.zookeeper;

import org.apache.jute.Record;
import org.apache.zookeeper.ZooDefs.OpCode;
import org.apache.zookeeper.proto.RequestHeader;
import org.jspecify.annotations.Nullable;

/**
 * A request at the server that has received it.
 *
 * @param body null for those that need nothing else
 */
record Request(
        ServerConnection connection,
        RequestHeader header,
        @Nullable Record body) {

    /** Returns whether the leader answers it. The other requests are answered from what the server itself knows. */
    boolean isForLeader() {
        return isWrite() || header.getType() == OpCode.sync;
    }

    boolean isWrite() {
        return switch (header.getType()) {
            case OpCode.create,
                    OpCode.create2,
                    OpCode.createContainer,
                    OpCode.createTTL,
                    OpCode.createSession,
                    OpCode.closeSession,
                    OpCode.delete,
                    OpCode.setData,
                    OpCode.check,
                    OpCode.multi -> true;
            default -> false;
        };
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return this == other;
    }

    @Override
    public int hashCode() {
        return header.getXid();
    }
}
