package io.github.distlock.cli;

import io.github.distlock.LockLoss;

/** What the thread of {@code run} waits for. */
sealed interface Event {
    /** The acquire has ended. */
    record Answered() implements Event {}

    /** This process has received a signal. */
    record Signaled(String name, int number) implements Event {}

    /** The lock is lost. */
    record Lost(LockLoss loss) implements Event {}

    /** The command has ended. */
    record Ended() implements Event {}
}
