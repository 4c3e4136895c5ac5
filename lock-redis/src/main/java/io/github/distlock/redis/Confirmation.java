package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import java.util.List;
import redis.clients.jedis.CommandArguments;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.exceptions.JedisDataException;

/**
 * Waits until replicas have confirmed a grant, on the connection over which the script granted it. {@code WAIT} counts
 * the replicas that have confirmed all writes of the server until the last command of that connection.
 *
 * <p>Too few confirmations are an error with an unknown outcome. So the engine asks again, and the repeated request
 * finds the contender's own record and waits again. When the time of the acquire is over, the engine withdraws the
 * contender.
 *
 * <p>A server that does not know {@code WAIT} refuses the first request of a connection before it grants anything. So
 * nothing is left to withdraw. A replica refuses {@code WAIT}, too, before it could redirect the script. That counts as
 * {@code READONLY}, so the client looks for the primary.
 */
final class Confirmation {
    /** How a replica begins its answer to {@code WAIT}. */
    private static final String OF_REPLICA = "ERR WAIT cannot be used with replica";

    private final ReplicaPolicy policy;
    /** Whether the server has answered {@code WAIT}. Each thread that does not know it asks. */
    private volatile boolean isKnown;

    Confirmation(ReplicaPolicy policy) {
        this.policy = policy;
    }

    /**
     * Checks once that the server knows the commands that the policy needs.
     *
     * @throws JedisDataException if it refuses one of them
     */
    void require(Connection connection) {
        if (policy.isNone() || isKnown) {
            return;
        }
        connection.sendCommand(new CommandArguments(Command.WAIT).add(0).add(1));
        if (policy.all()) {
            connection.sendCommand(Command.ROLE);
        }
        for (Object reply : connection.getMany(policy.all() ? 2 : 1)) {
            if (reply instanceof JedisDataException error) {
                throw new JedisDataException(words(error), error);
            }
        }
        isKnown = true;
    }

    private static String words(JedisDataException error) {
        String words = String.valueOf(error.getMessage());
        return words.startsWith(OF_REPLICA) ? "READONLY " + words : words + "; awaitReplicas needs this command";
    }

    /**
     * Waits for the replicas after a grant, for at most half of the time that is left. The other half is for the
     * answer.
     *
     * @throws JedisDataException if too few have confirmed it in time, or if the server refuses to say that; never a
     *     refusal of the request, because the grant has been made
     */
    void await(Connection connection, Deadline deadline) {
        if (policy.isNone()) {
            return;
        }
        int needed;
        long millis;
        long confirmed;
        try {
            needed = policy.needed(policy.all() ? connected(connection) : 0);
            millis = Math.max(1, deadline.remainingMillis() / 2);
            connection.sendCommand(
                    new CommandArguments(Command.WAIT).add(needed).add(millis));
            confirmed = Replies.number(connection.getOne());
        } catch (JedisDataException e) {
            isKnown = false;
            throw new JedisDataException("UNCONFIRMED " + e.getMessage(), e);
        }
        if (confirmed < needed) {
            throw new JedisDataException("UNCONFIRMED " + confirmed + " of " + needed
                    + " replicas have confirmed the grant within " + millis + " ms");
        }
    }

    private static int connected(Connection connection) {
        connection.sendCommand(Command.ROLE);
        List<?> role = Replies.list(connection.getOne());
        return role.size() == 3 && role.get(2) instanceof List<?> replicas ? replicas.size() : 0;
    }
}
