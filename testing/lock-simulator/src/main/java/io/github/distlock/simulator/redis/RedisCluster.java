package io.github.distlock.simulator.redis;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.util.Objects.requireNonNull;

import io.github.distlock.simulator.World;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.util.JedisClusterCRC16;

/**
 * The nodes of a cluster, and which of them serves each slot. While a slot moves, its keys move one by one, and each
 * node redirects requests whose keys it does not have, as Redis 7.0 does. A test compares the redirections with those
 * of a real cluster.
 *
 * <p>A node publishes each message on all nodes. The other nodes receive it later, in any order.
 */
final class RedisCluster {
    private static final long BUS_NANOS = 5_000_000;
    private static final String PORT = ":6379";

    private final World world;
    private final List<RedisNode> nodes;
    /** The nodes of the slots that have moved. */
    private final Map<Integer, RedisNode> owners = new HashMap<>();

    private final Map<Integer, Move> moves = new TreeMap<>();

    /** A slot that moves. */
    record Move(RedisNode from, RedisNode to) {}

    RedisCluster(List<RedisNode> nodes, World world) {
        this.nodes = nodes;
        this.world = world;
        for (RedisNode node : nodes) {
            node.joinCluster(
                    (command, asking) -> refusal(node, command, asking),
                    (channel, message) -> nodes.stream()
                            .filter(other -> other != node)
                            .forEach(other -> world.at(
                                    world.nanoTime() + world.random().nextLong(BUS_NANOS),
                                    () -> other.deliver(channel, message))));
        }
    }

    List<RedisNode> nodes() {
        return nodes;
    }

    static int slot(byte[] key) {
        return JedisClusterCRC16.getSlot(key);
    }

    /** Returns the node that serves a slot before anything has moved. */
    RedisNode firstOwner(int slot) {
        return nodes.get(slot % nodes.size());
    }

    private RedisNode owner(int slot) {
        return owners.getOrDefault(slot, firstOwner(slot));
    }

    /** Returns the node that a redirection names. */
    RedisNode target(String redirection) {
        String address = redirection.substring(redirection.lastIndexOf(' ') + 1);
        return nodes.stream()
                .filter(node -> address.equals(node.name() + PORT))
                .findFirst()
                .orElseThrow();
    }

    /** Returns the slots that have keys. */
    List<Integer> slotsInUse() {
        return nodes.stream()
                .flatMap(node -> node.keyNames().stream())
                .map(key -> slot(key.getBytes(ISO_8859_1)))
                .distinct()
                .sorted()
                .toList();
    }

    // Requests

    /** Returns the error with which a node refuses a command, or null. */
    private @Nullable RedisError refusal(RedisNode asked, List<byte[]> command, boolean asking) {
        Set<String> keys = keys(command);
        if (keys.isEmpty()) {
            return null;
        }
        Set<Integer> slots =
                keys.stream().map(key -> slot(key.getBytes(ISO_8859_1))).collect(Collectors.toSet());
        if (slots.size() > 1) {
            return new RedisError("CROSSSLOT Keys in request don't hash to the same slot");
        }
        int slot = slots.iterator().next();
        Move move = moves.get(slot);
        boolean hasAll = keys.stream().allMatch(asked::has);
        if (owner(slot) == asked) {
            return move == null || hasAll ? null : redirection("ASK", slot, move.to);
        }
        if (asking && move != null && move.to == asked) {
            return keys.size() > 1 && !hasAll
                    ? new RedisError("TRYAGAIN Multiple keys request during rehashing of slot")
                    : null;
        }
        return redirection("MOVED", slot, owner(slot));
    }

    private static RedisError redirection(String kind, int slot, RedisNode to) {
        return new RedisError(kind + " " + slot + " " + to.name() + PORT);
    }

    private static Set<String> keys(List<byte[]> command) {
        List<String> words =
                command.stream().map(word -> new String(word, ISO_8859_1)).toList();
        return switch (words.get(0)) {
            case "EVAL", "EVALSHA" -> Set.copyOf(words.subList(3, 3 + Integer.parseInt(words.get(2))));
            case "PING", "INFO", "PUBLISH", "TIME" -> Set.of();
            case "DEL" -> Set.copyOf(words.subList(1, words.size()));
            default -> Set.of(words.get(1));
        };
    }

    // Moves

    /**
     * Moves a slot, key by key.
     *
     * @param slot any slot
     * @param to the node that gets it
     * @param longestPause the longest time before each step
     * @return whether the move has begun: false if the slot moves already, or if the node has it
     */
    boolean move(int slot, RedisNode to, long longestPause) {
        boolean begins = owner(slot) != to && !moves.containsKey(slot);
        if (begins) {
            begin(slot, to);
            continueSoon(slot, longestPause);
        }
        return begins;
    }

    void begin(int slot, RedisNode to) {
        Move move = new Move(owner(slot), to);
        moves.put(slot, move);
        world.trace(move.from.name(), () -> "begins to move the slot " + slot + " to " + to.name());
    }

    private void continueSoon(int slot, long longestPause) {
        world.at(world.nanoTime() + world.random().nextLong(longestPause), () -> {
            if (moves.containsKey(slot) && !step(slot)) {
                continueSoon(slot, longestPause);
            }
        });
    }

    /** Moves one key, or gives the slot to the other node if no key is left. Returns whether it has. */
    private boolean step(int slot) {
        Move move = requireNonNull(moves.get(slot));
        if (!move.from.isRunning() || !move.to.isRunning()) {
            return false;
        }
        List<String> keys = keysOf(slot, move.from);
        if (keys.isEmpty()) {
            end(slot);
            return true;
        }
        moveKey(keys.get(world.random().nextInt(keys.size())), move);
        return false;
    }

    private static List<String> keysOf(int slot, RedisNode node) {
        return node.keyNames().stream()
                .filter(key -> slot(key.getBytes(ISO_8859_1)) == slot)
                .toList();
    }

    void moveKey(String key) {
        moveKey(key, requireNonNull(moves.get(slot(key.getBytes(ISO_8859_1)))));
    }

    private void moveKey(String key, Move move) {
        world.trace(move.from.name(), () -> "moves " + key + " to " + move.to.name());
        move.from.moveKey(key, move.to);
    }

    private void end(int slot) {
        RedisNode to = requireNonNull(moves.remove(slot)).to;
        owners.put(slot, to);
        world.trace(to.name(), () -> "serves the slot " + slot);
    }

    /** Ends all moves at once. */
    void heal() {
        List.copyOf(moves.keySet()).forEach(slot -> {
            Move move = requireNonNull(moves.get(slot));
            keysOf(slot, move.from).forEach(key -> moveKey(key, move));
            end(slot);
        });
    }
}
