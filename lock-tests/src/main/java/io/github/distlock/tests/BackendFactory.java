package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;

/**
 * How a process of its own builds a backend over a real server: it is named by its class, which is public and has a public
 * constructor without parameters.
 */
public interface BackendFactory {

    /**
     * One more client's way to the store.
     *
     * @param address the server's, or that of a proxy before it: {@code host:port}
     * @param space the part of the store where its locks are, so that tests do not meet: letters and digits, used as a
     *     prefix of keys or a path
     * @return a new backend
     */
    LockBackend backend(String address, String space);
}
