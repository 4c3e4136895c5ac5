/**
 * Distributed locks: the API, the interface to the stores behind it, the engine, and a store in memory for tests.
 *
 * <p>Start at {@link io.github.distlock.LockClient}. Who writes a backend starts at
 * {@link io.github.distlock.spi.LockBackend}.
 */
module io.github.distlock {
    requires static com.google.errorprone.annotations;
    requires static transitive org.jspecify;
    requires static org.crac;
    requires static jdk.jfr;
    requires org.slf4j;

    exports io.github.distlock;
    exports io.github.distlock.memory;
    exports io.github.distlock.spi;
}
