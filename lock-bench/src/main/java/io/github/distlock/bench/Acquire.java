package io.github.distlock.bench;

/** Acquires something, and returns how to release it. */
interface Acquire {
    AutoCloseable run() throws Exception;
}
