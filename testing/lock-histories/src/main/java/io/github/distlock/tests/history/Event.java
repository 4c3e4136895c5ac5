package io.github.distlock.tests.history;

/**
 * One line of a history. All moments are those of {@link System#nanoTime()}, which on Linux is the same clock in all
 * processes of a machine and does not stand still while a process is stopped.
 *
 * @param sequence counts the events of a file, from 1
 * @param at when; for the beginning of a call sampled before it, for its end after it
 * @param kind what
 * @param operation which acquire of the process, from 1; for a fault the process that it struck, or zero
 * @param lock the lock's name, or empty
 * @param token the fencing token, or zero
 * @param until see the kinds
 * @param note see the kinds
 */
record Event(long sequence, long at, Kind kind, long operation, String lock, long token, long until, String note) {
    private static final int FIELDS = 8;

    enum Kind {
        /** The process begins. */
        BEGIN,
        /** An acquire is called; has to be back until then, or whenever it likes: {@link Long#MAX_VALUE}. Notes how. */
        ACQUIRE,
        /** The store has told the acquire to wait. */
        QUEUED,
        /** A request of some acquire for this lock, sent at {@code until}, ended with an error. Notes it. */
        REQUEST_FAILED,
        /** The acquire has returned a hold. */
        GRANTED,
        /** The acquire has returned none. Notes why. */
        REFUSED,
        /** {@code isHeld()}, asked after {@code at}, was true, and claimed to stay so until then. */
        HELD,
        /** The release is called. */
        RELEASE,
        /** The release has returned. Notes the outcome. */
        RELEASED,
        /** The holder is told that it has lost the lock. Notes the reason. */
        LOST,
        /** The process came to nothing until then: it was stopped, or the machine was busy. */
        STALLED,
        /** All calls have returned, and the client is closed. */
        END,
        /** A fault lasted until then. Notes the fault and whom it was aimed at. */
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
