package io.github.distlock.zookeeper;

import io.github.distlock.spi.Signals;

/** Signals that a test ignores. */
final class IgnoredSignals implements Signals {
    @Override
    public void wakeUp() {}

    @Override
    public void wanted() {}

    @Override
    public void suspect() {}

    @Override
    public void gone() {}
}
