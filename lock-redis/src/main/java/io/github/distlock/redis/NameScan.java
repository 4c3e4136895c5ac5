package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.RequestRefusedException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Lists the names of locks: {@code SCAN} on one server after the other, in the order of their addresses, first for lock
 * keys and then for the keys of waiters. One {@code SCAN} looks at about {@value #COUNT} keys, so that it does not
 * block the server. A page ends with {@value #PAGE} names, or when half of its time is over.
 *
 * <p><b>What is listed.</b> {@code SCAN} returns each key that exists from its first call to its last. A lock key says
 * that its lock is held or kept. The key of the signs of life says that contenders have waited, and a script whether
 * one of them is alive. A lock that is held and waited for comes twice.
 */
final class NameScan {
    private static final int COUNT = 500;
    private static final int PAGE = 1_000;

    private final RedisBackend backend;
    private final Redis redis;
    private final String keyPrefix;
    private final String namePrefix;
    private final Deadline deadline;

    /** What a scan looks for. */
    private enum Pass {
        HELD,
        WAITED_FOR
    }

    /**
     * Where a page begins.
     *
     * @param cursor what the server has answered, or {@code 0} at the begin of its keys
     */
    private record Position(Pass pass, String cursor, String server) {
        static Position of(String text) {
            String[] words = text.split(" ", 3);
            return new Position(Pass.valueOf(words[0]), words[1], words[2]);
        }

        @Override
        public String toString() {
            return pass + " " + cursor + " " + server;
        }
    }

    /**
     * Sends nothing yet.
     *
     * @param keyPrefix the beginning of keys
     * @param namePrefix the beginning of the names to list
     */
    NameScan(RedisBackend backend, Redis redis, String keyPrefix, String namePrefix, Deadline deadline) {
        this.backend = backend;
        this.redis = redis;
        this.keyPrefix = keyPrefix;
        this.namePrefix = namePrefix;
        this.deadline = deadline;
    }

    /** Returns the page that begins at a position. */
    LockNames page(Optional<String> begin) throws InterruptedException {
        long forLater = deadline.remainingNanos() / 2;
        List<Connections.Server> servers = redis.servers(deadline).stream()
                .sorted(Comparator.comparing(Connections.Server::address))
                .toList();
        Position position = begin.map(Position::of).orElseGet(() -> new Position(Pass.HELD, "0", ""));
        Set<String> names = new LinkedHashSet<>();
        while (true) {
            Connections.Server server = serverFrom(position.server, servers);
            if (server == null && position.pass == Pass.WAITED_FOR) {
                return LockNames.last(names);
            }
            if (server == null) {
                position = new Position(Pass.WAITED_FOR, "0", "");
                continue;
            }
            boolean isSame = server.address().equals(position.server);
            List<?> reply = scan(server, position.pass, isSame ? position.cursor : "0");
            names.addAll(names(position.pass, Replies.list(reply.get(1))));
            position = after(server, position.pass, Replies.text(reply.get(0)));
            if (names.size() >= PAGE || deadline.remainingNanos() < forLater) {
                return LockNames.page(names, position.toString());
            }
        }
    }

    /** Returns the first server that has an address or comes after it. A server may have gone since the last page. */
    private static Connections.@Nullable Server serverFrom(String address, List<Connections.Server> servers) {
        return servers.stream()
                .filter(server -> server.address().compareTo(address) >= 0)
                .findFirst()
                .orElse(null);
    }

    private static Position after(Connections.Server server, Pass pass, String cursor) {
        // No address lies between this one and the one that the null character makes of it.
        return new Position(pass, cursor, cursor.equals("0") ? server.address() + '\0' : server.address());
    }

    private List<?> scan(Connections.Server server, Pass pass, String cursor) throws InterruptedException {
        String match = pass == Pass.HELD
                ? LockKeys.lockPattern(keyPrefix, namePrefix)
                : LockKeys.alivePattern(keyPrefix, namePrefix);
        List<String> command = List.of("SCAN", cursor, "MATCH", match, "COUNT", Integer.toString(COUNT));
        Object reply = server.ask(List.of(command), deadline).get(0);
        if (reply instanceof ErrorReply error) {
            String refusal = ErrorReply.refusal(String.valueOf(error.getMessage()));
            throw refusal.isEmpty()
                    ? error
                    : new RequestRefusedException("Redis refuses to list names: " + refusal, error);
        }
        return Replies.list(reply);
    }

    private List<String> names(Pass pass, List<?> keys) throws InterruptedException {
        List<String> names = new ArrayList<>();
        for (Object key : keys) {
            String text = Replies.text(key);
            String name = pass == Pass.HELD
                    ? LockKeys.nameOfLockKey(text, keyPrefix)
                    : LockKeys.nameOfAliveKey(text, keyPrefix);
            boolean isText = key instanceof byte[] bytes && Arrays.equals(bytes, text.getBytes(UTF_8));
            if (isText && name != null && name.startsWith(namePrefix)) {
                names.add(name);
            }
        }
        return pass == Pass.HELD ? names : waitedFor(names);
    }

    private List<String> waitedFor(List<String> names) throws InterruptedException {
        List<String> found = new ArrayList<>();
        for (int from = 0; from < names.size(); from += RedisBackend.CHUNK) {
            List<String> some = names.subList(from, Math.min(names.size(), from + RedisBackend.CHUNK));
            List<ScriptCall> calls = some.stream()
                    .map(name -> new ScriptCall(
                            Script.IS_WAITED_FOR, name, backend.keysOf(name).aliveAlone()))
                    .toList();
            List<Object> replies = redis.callAll(calls, deadline);
            for (int i = 0; i < replies.size(); i++) {
                if (replies.get(i) instanceof RuntimeException error) {
                    throw error;
                }
                if (Replies.number(Replies.list(replies.get(i)).get(0)) > 0) {
                    found.add(some.get(i));
                }
            }
        }
        return found;
    }
}
