package io.github.distlock.tests;

import io.github.distlock.spi.Signals;
import java.util.function.BooleanSupplier;

/** Loses wake-ups, and passes on everything else. */
record QuietSignals(Signals heard, BooleanSupplier loses) implements Signals {

    /** Loses some wake-ups of all waiters, of which none asks again by itself. */
    static void plant(BrokenBackend it, BooleanSupplier loses) {
        it.signals = (asked, heard) -> new QuietSignals(heard, loses);
        it.attempt =
                (contender, deadline) -> BrokenWaits.askAgainIn(BrokenWaits.A_DAY, contender.inner.attempt(deadline));
    }

    @Override
    public void wakeUp() {
        if (!loses.getAsBoolean()) {
            heard.wakeUp();
        }
    }

    @Override
    public void wanted() {
        heard.wanted();
    }

    @Override
    public void suspect() {
        heard.suspect();
    }

    @Override
    public void gone() {
        heard.gone();
    }
}
