package io.github.distlock.tests.history;

/**
 * One line of a history. All times are those of {@link System#nanoTime()}. On Linux, all processes of a machine share
 * this clock, and it advances while a process is stopped.
 *
 * @param sequence the number of the event within its file, from 1
 * @param at the time; a process samples it before it calls a method, or after the method has returned
 * @param kind the kind of event
 * @param operation the number of the acquire within its process, from 1; for a fault, the process that it struck, or 0
 * @param lock the lock's name, or empty
 * @param token the fencing token, or 0
 * @param until a time that the kind defines
 * @param note a text that the kind defines
 */
record Event(long sequence, long at, Kind kind, long operation, String lock, long token, long until, String note) {
    private static final int FIELDS = 8;

    enum Kind {
        /** The process starts. Note: the client's name. */
        BEGIN,
        /** A thread calls acquire. Until: its timeout, or {@link Long#MAX_VALUE}. Note: the kind of acquire. */
        ACQUIRE,
        /** The store has answered busy, and the acquire has a queue entry. */
        QUEUED,
        /** A request for this lock has failed. Until: when it was sent. Note: the error. */
        REQUEST_FAILED,
        /** The acquire has returned a hold. */
        GRANTED,
        /** The acquire has returned no hold. Note: the reason. */
        REFUSED,
        /** {@code isHeld()}, called after {@code at}, returned true. Until: the end of the validity. */
        HELD,
        /** The thread calls release. */
        RELEASE,
        /** The release has returned. Note: the outcome. */
        RELEASED,
        /** The client has notified the holder of a loss. Note: the reason. */
        LOST,
        /** The process did not run, because it was stopped or the machine was busy. Until: when it ran again. */
        STALLED,
        /** All calls have returned, and the client is closed. */
        END,
        /** A fault was injected. Until: its end. Note: the fault and its target. */
        FAULT
    }

    String line() {
        return String.join(
                        "\t",
                        Long.toString(sequence),
                        Long.toString(at),
                        kind.name(),
                        Long.toString(operation),
                        lock,
                        Long.toString(token),
                        Long.toString(until),
                        note.replaceAll("\\s+", " "))
                + "\n";
    }

    static Event parse(String line) {
        String[] fields = line.split("\t", -1);
        if (fields.length != FIELDS) {
            throw new IllegalArgumentException("not an event: " + line);
        }
        return new Event(
                Long.parseLong(fields[0]),
                Long.parseLong(fields[1]),
                Kind.valueOf(fields[2]),
                Long.parseLong(fields[3]),
                fields[4],
                Long.parseLong(fields[5]),
                Long.parseLong(fields[6]),
                fields[7]);
    }
}
