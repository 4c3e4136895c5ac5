package io.github.distlock.engine;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The log of clients. It has the name of the interface, which refers to the engine and which the engine must not know.
 */
final class ClientLog {
    static final Logger LOG = LoggerFactory.getLogger("io.github.distlock.LockClient");

    private ClientLog() {}
}
