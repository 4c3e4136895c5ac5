package io.github.distlock.redis.lettuce;

import io.lettuce.core.RedisClient;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import java.util.concurrent.CompletionStage;

/** Connects to one node of a cluster, with the client that the backend has made for that. */
final class NodeDialer implements Dialer {
    private final RedisClient client;
    private final RedisURI uri;

    NodeDialer(RedisClient client, RedisURI uri) {
        this.client = client;
        this.uri = uri;
    }

    @Override
    public void dial(Opening<StatefulRedisConnection<byte[], byte[]>, ?> opening) {
        complete(opening, client.connectAsync(ByteArrayCodec.INSTANCE, uri));
    }

    @Override
    public void dialPubSub(Opening<StatefulRedisPubSubConnection<byte[], byte[]>, ?> opening) {
        complete(opening, client.connectPubSubAsync(ByteArrayCodec.INSTANCE, uri));
    }

    private static <C extends StatefulConnection<byte[], byte[]>> void complete(
            Opening<C, ?> opening, CompletionStage<C> connecting) {
        var unused = connecting.whenComplete((connection, failure) -> {
            if (failure != null) {
                opening.failed(Errors.cause(failure));
            } else {
                opening.succeeded(connection);
            }
        });
    }
}
