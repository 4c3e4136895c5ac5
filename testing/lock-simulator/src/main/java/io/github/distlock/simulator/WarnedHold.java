package io.github.distlock.simulator;

import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.function.Consumer;

/**
 * Looks whether a holder is warned each time when little is left of its validity, and by a thread for callbacks. The
 * holder knows of a fall when it has seen more left, and later less.
 */
final class WarnedHold {
    private static final long SLACK = 50_000_000;

    private final World world;
    private final SimulatedProcess process;
    private final LockHandle held;
    private final Duration least;
    private final Consumer<String> violated;
    private int warnings;
    /** How many warnings had come when more was left for the last time. */
    private int warningsBefore;

    private boolean hasFallen;
    private long fallenSince;

    /**
     * Makes what looks at one warning of one hold.
     *
     * @param least what the warning is registered for
     * @param violated receives what is wrong
     */
    WarnedHold(World world, SimulatedProcess process, LockHandle held, Duration least, Consumer<String> violated) {
        this.world = world;
        this.process = process;
        this.held = held;
        this.least = least;
        this.violated = violated;
    }

    /** A thread warns the holder. */
    void warn(String thread) {
        warnings++;
        if (!thread.contains("-callback")) {
            violated.accept("a warning runs on " + thread);
        }
    }

    /** The holder looks at what is left. */
    void look() {
        // First, because a warning of a later fall may come after the validity was read.
        int seen = warnings;
        if (held.remaining().compareTo(least) > 0) {
            warningsBefore = seen;
            hasFallen = false;
        } else if (!hasFallen) {
            hasFallen = true;
            fallenSince = world.nanoTime();
        } else if (warnings == warningsBefore
                && world.nanoTime() - fallenSince > SLACK + process.stalledSince(fallenSince)
                && held.isHeld()) {
            violated.accept("no warning although no more than " + least + " is left");
        }
    }
}
