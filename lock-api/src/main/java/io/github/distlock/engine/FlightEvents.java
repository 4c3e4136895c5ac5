package io.github.distlock.engine;

import jdk.jfr.Category;
import jdk.jfr.Description;
import jdk.jfr.Event;
import jdk.jfr.FlightRecorder;
import jdk.jfr.Label;
import jdk.jfr.Name;
import jdk.jfr.StackTrace;
import jdk.jfr.Threshold;
import jdk.jfr.Timespan;

/** The events of {@link Flight}, which is the only class that refers to this one. */
@SuppressWarnings("UnusedVariable") // A recording reads the fields.
final class FlightEvents {
    private FlightEvents() {}

    /** Returns whether a recording has been started since the JVM was. */
    static boolean areOn() {
        return FlightRecorder.isInitialized();
    }

    @Category("distlock")
    @StackTrace
    private abstract static class LockEvent extends Event {
        @Label("Client")
        String client = "";

        @Label("Lock")
        String lock = "";
    }

    /** An event with a duration. Short ones are left out unless the recording sets another threshold. */
    @Threshold("10 ms")
    private abstract static class Timed extends LockEvent implements Flight.Recorded {
        @Label("Fencing Token")
        long token;

        @Label("Outcome")
        String outcome = "";

        @Override
        public void end(String client, String lockName, long token, String outcome) {
            end();
            if (shouldCommit()) {
                this.client = client;
                this.lock = lockName;
                this.token = token;
                this.outcome = outcome;
                commit();
            }
        }
    }

    @Name("distlock.Wait")
    @Label("Lock Wait")
    @Description("A thread waited for a lock. Its stack is that of the acquire")
    private static final class Wait extends Timed {}

    @Name("distlock.Hold")
    @Label("Lock Hold")
    @Description("A lock was held. The stack is that of the release, or of the thread that noticed the loss")
    private static final class Hold extends Timed {}

    @Name("distlock.Loss")
    @Label("Lock Loss")
    @Description("A hold was lost. The stack is that of the thread that noticed it")
    private static final class Loss extends LockEvent {
        @Label("Fencing Token")
        long token;

        @Label("Held For")
        @Timespan
        long held;

        @Label("Reason")
        String reason = "";

        @Label("Acquired By")
        String acquiredBy = "";
    }

    @Name("distlock.FailedRenewal")
    @Label("Failed Lock Renewal")
    @Description("A renewal was not answered or failed. The hold is still valid")
    private static final class FailedRenewal extends LockEvent {
        @Label("Took")
        @Timespan
        long took;

        @Label("Cause")
        String cause = "";
    }

    static Flight.Recorded waiting() {
        return begun(new Wait());
    }

    static Flight.Recorded holding() {
        return begun(new Hold());
    }

    private static Timed begun(Timed event) {
        event.begin();
        return event;
    }

    static void lost(String client, String lockName, long token, long heldNanos, String reason, String acquiredBy) {
        Loss event = new Loss();
        event.client = client;
        event.lock = lockName;
        event.token = token;
        event.held = heldNanos;
        event.reason = reason;
        event.acquiredBy = acquiredBy;
        event.commit();
    }

    static void renewalFailed(String client, String lockName, long tookNanos, String cause) {
        FailedRenewal event = new FailedRenewal();
        event.client = client;
        event.lock = lockName;
        event.took = tookNanos;
        event.cause = cause;
        event.commit();
    }
}
