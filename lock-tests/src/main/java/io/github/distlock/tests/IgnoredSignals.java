package io.github.distlock.tests;

import io.github.distlock.spi.Signals;

/** Signals that a test ignores. For contenders of a backend that a test uses without an engine. Thread-safe. */
public final class IgnoredSignals implements Signals {
    /** Makes signals that do nothing. */
    public IgnoredSignals() {}

    @Override
    public void wakeUp() {}

    @Override
    public void wanted() {}

    @Override
    public void suspect() {}

    @Override
    public void gone() {}
}
