package io.github.distlock.redis.lettuce;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.redis.connection.Connections;
import io.github.distlock.redis.connection.ErrorReply;
import io.github.distlock.spi.Deadline;
import io.lettuce.core.protocol.CommandType;
import java.util.List;
import java.util.function.Predicate;

/**
 * A node as a health check sees it.
 *
 * @param keepsKey says whether the node keeps the lock with a key
 */
record NodeServer(Node node, String address, boolean failsOver, Predicate<byte[]> keepsKey)
        implements Connections.Server {
    @Override
    public boolean keeps(byte[] lockKey) {
        return keepsKey.test(lockKey);
    }

    @Override
    public List<Object> ask(List<List<String>> commands, Deadline deadline) throws InterruptedException {
        List<Link.Words> words = commands.stream().map(NodeServer::words).toList();
        List<Object> replies = node.exchange(words, Connections.Purpose.REQUEST, deadline);
        for (Object reply : replies) {
            if (reply instanceof RuntimeException error && !(error instanceof ErrorReply)) {
                throw error;
            }
        }
        return replies;
    }

    private static Link.Words words(List<String> command) {
        List<byte[]> arguments = command.stream()
                .skip(1)
                .map(argument -> argument.getBytes(UTF_8))
                .toList();
        return new Link.Words(CommandType.valueOf(command.get(0)), arguments);
    }
}
