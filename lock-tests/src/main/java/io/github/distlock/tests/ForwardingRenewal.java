package io.github.distlock.tests;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;

/** Passes everything on; a subclass changes what it overrides. */
class ForwardingRenewal implements Renewal {
    private final Renewal outer;

    ForwardingRenewal(Renewal outer) {
        this.outer = outer;
    }

    @Override
    public Grant grant() {
        return outer.grant();
    }

    @Override
    public Duration lease() {
        return outer.lease();
    }

    @Override
    public void renewed(Validity validity) {
        outer.renewed(validity);
    }

    @Override
    public void gone() {
        outer.gone();
    }

    @Override
    public void unknown(Throwable cause) {
        outer.unknown(cause);
    }
}
