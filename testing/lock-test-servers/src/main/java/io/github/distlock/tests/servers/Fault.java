package io.github.distlock.tests.servers;

import java.time.Duration;

/** Something that a {@link FaultProxy} will do once, to the next request or message that it is aimed at. */
public interface Fault {

    /**
     * Whether it has happened. For a lost reply this means that the server has answered.
     *
     * @return true from then on
     */
    boolean hasStruck();

    /**
     * Waits until it has happened.
     *
     * @param limit how long
     * @throws IllegalStateException when it did not happen in time
     */
    void awaitStrike(Duration limit);
}
