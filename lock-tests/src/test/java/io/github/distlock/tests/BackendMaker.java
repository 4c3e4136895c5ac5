package io.github.distlock.tests;

import io.github.distlock.spi.LockBackend;

/** Makes backends over a real server, in this JVM and in others: it has a constructor without parameters. */
public interface BackendMaker {
    /**
     * A backend.
     *
     * @param address the server's, or that of a proxy before it
     * @param space where its locks are, so that tests do not meet
     */
    LockBackend backend(String address, String space);
}
