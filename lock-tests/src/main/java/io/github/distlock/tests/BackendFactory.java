package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;

/**
 * Builds backends over a real server, also in processes of their own. Those find it by its class, which is public and
 * has a public constructor without parameters.
 */
public interface BackendFactory {

    /**
     * Connects one more client to the store.
     *
     * @param address {@code host:port} of the server, or of a proxy before it
     * @param space the part of the store that has the locks of one test: letters and digits, used as a prefix of keys
     *     or as a path
     * @return a new backend
     */
    LockBackend backend(String address, String space);
}
