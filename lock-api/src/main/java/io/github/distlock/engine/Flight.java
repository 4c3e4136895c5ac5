package io.github.distlock.engine;

import io.github.distlock.spi.LockClock.Parker;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Events for a recording of Java Flight Recorder, which shows them beside the events of the JVM.
 *
 * <p><b>Optional.</b> The module {@code jdk.jfr} may be missing: from a small runtime image, or from the module graph
 * of an application. Only {@link FlightEvents} refers to it, and runs only if this module reads it. While there is no
 * recording, each method reads a field or two, and makes no object.
 *
 * <p><b>On every thread.</b> Threads that keep promises record, too. A commit runs no code of the application, does no
 * I/O, and writes to a buffer of its thread. What it throws is ignored, because a recording must not lose a lock.
 */
final class Flight {
    private static final boolean EXISTS = ModuleLayer.boot()
            .findModule("jdk.jfr")
            .filter(Flight.class.getModule()::canRead)
            .isPresent();

    private Flight() {}

    private static boolean isOn() {
        return EXISTS && FlightEvents.areOn();
    }

    /** An event that has begun. It ends on the thread that calls. */
    interface Recorded {
        void end(String client, String lockName, long token, String outcome);
    }

    /** A parker that knows the event of its wait. */
    private record RecordedParker(Parker parker, Recorded event) implements Parker {
        @Override
        public void parkUntil(long nanoTime) {
            parker.parkUntil(nanoTime);
        }

        @Override
        public void unpark() {
            parker.unpark();
        }

        @Override
        public void close() {
            parker.close();
        }
    }

    /** Begins a wait. */
    static Parker waiting(Parker parker) {
        try {
            return isOn() ? new RecordedParker(parker, FlightEvents.waiting()) : parker;
        } catch (Throwable e) {
            return parker;
        }
    }

    /** Ends a wait, whose parker may have been made before the recording was started. */
    static void waited(Parker parker, String client, String lockName, Enum<?> outcome) {
        if (parker instanceof RecordedParker recorded) {
            end(recorded.event, client, lockName, 0, outcome);
        }
    }

    /** Begins a hold. Returns null while there is no recording. */
    static @Nullable Recorded holding() {
        try {
            return isOn() ? FlightEvents.holding() : null;
        } catch (Throwable e) {
            return null;
        }
    }

    /** Ends what has begun, if it is recorded. */
    static void end(@Nullable Recorded event, String client, String lockName, long token, Enum<?> outcome) {
        if (event != null) {
            try {
                event.end(client, lockName, token, text(outcome));
            } catch (Throwable e) {
                // There is an event less.
            }
        }
    }

    static void lost(String client, String lockName, long token, long heldNanos, Enum<?> reason, String thread) {
        try {
            if (isOn()) {
                FlightEvents.lost(client, lockName, token, heldNanos, text(reason), thread);
            }
        } catch (Throwable e) {
            // There is an event less.
        }
    }

    static void renewalFailed(String client, String lockName, long tookNanos, Throwable cause) {
        try {
            if (isOn()) {
                FlightEvents.renewalFailed(client, lockName, tookNanos, String.valueOf(cause));
            }
        } catch (Throwable e) {
            // There is an event less.
        }
    }

    private static String text(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
