package io.github.distlock.simulator.zookeeper;

import java.util.List;
import org.apache.zookeeper.KeeperException.Code;
import org.jspecify.annotations.Nullable;

/**
 * A transaction, as the leader has prepared it. So each server comes to the same result.
 *
 * @param zxid the number, which increases by 1 within an epoch of a leader
 * @param time when the leader prepared it, in milliseconds since 1970
 * @param session the session that asked for it
 * @param changes the operations in their order; only refusals if one of them is refused
 * @param origin the request, or null if a leader asks for itself
 */
record Transaction(
        long zxid,
        long time,
        long session,
        List<Change> changes,
        @Nullable Request origin) {

    /** One operation. */
    sealed interface Change {}

    /** Creates a node, whose owner is a session, {@link Node#CONTAINER} or 0. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
    record Creation(String path, byte[] data, long owner) implements Change {}

    /** Deletes a node. */
    record Deletion(String path) implements Change {}

    /** Writes the data of a node. */
    @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
    record Writing(String path, byte[] data) implements Change {}

    /** Has found that a node exists. */
    record Check() implements Change {}

    /** Does nothing, because an operation was refused. */
    record Refusal(Code code) implements Change {}

    /** Opens a session. */
    record Opening(int timeout) implements Change {}

    /** Ends a session, and deletes its nodes. */
    record End(List<String> nodes) implements Change {}

    boolean isRefused() {
        return changes.get(changes.size() - 1) instanceof Refusal;
    }

    @Override
    public String toString() {
        return "transaction 0x" + Long.toHexString(zxid);
    }
}
