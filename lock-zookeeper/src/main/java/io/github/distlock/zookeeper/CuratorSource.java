package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.RequestRefusedException;
import org.apache.curator.framework.CuratorFramework;
import org.jspecify.annotations.Nullable;

/** Where a connection gets its Curator client: from the caller, or by making one. Thread-safe. */
interface CuratorSource {

    /**
     * A started client.
     *
     * @param curator the client itself, without a namespace
     * @param begunAt a time before the client requested its first session, or null if the source knows none
     * @param isCallerSupplied whether the application uses the client, too
     */
    record Started(CuratorFramework curator, @Nullable Moment begunAt, boolean isCallerSupplied) {}

    /**
     * Returns the client if it has been started. Neither waits nor sends anything.
     *
     * @throws RequestRefusedException if there will be no client
     */
    @Nullable
    Started client(BackendContext context);

    /**
     * Gives up a client whose authentication has failed, if this source can make another one.
     *
     * @return whether this call has given the client up
     */
    boolean giveUp(Started failed, BackendContext context);

    /** Returns the addresses of the servers: a connect string, which may contain secrets. */
    String connectString();

    /** Returns why there is no connection, without secrets. */
    String problem();

    /** Returns a path with the namespace of the client. */
    String fullPath(String path);

    /**
     * Closes the client that the source has made, and waits for that for at most 500 ms. The next use makes another.
     */
    void disconnect(BackendContext context);

    /**
     * Ends what the source has made, and waits for that for at most 500 ms. Idempotent.
     *
     * @param context is null if the engine has not started the backend
     */
    void close(@Nullable BackendContext context);
}
