package io.github.distlock.redis.lettuce;

import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;

/** Makes connections to one server. Thread-safe. No method blocks. */
interface Dialer {

    /** Begins to connect. Completes the attempt later, on any thread. */
    void dial(Opening<StatefulRedisConnection<byte[], byte[]>, ?> opening);

    /** Begins to make a connection for messages. Completes the attempt later, on any thread. */
    void dialPubSub(Opening<StatefulRedisPubSubConnection<byte[], byte[]>, ?> opening);
}
