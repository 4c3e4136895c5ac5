package io.github.distlock.tests.servers;

import java.time.Duration;

/** A fault that a {@link FaultProxy} injects once, into the next request or message that matches. */
public interface Fault {

    /** {@return whether the proxy has injected the fault; for a lost reply, the server has replied by then} */
    boolean hasStruck();

    /**
     * Waits until the proxy has injected the fault.
     *
     * @param limit the longest time to wait
     * @throws IllegalStateException if the limit passes or this thread is interrupted; the thread stays interrupted
     */
    void awaitStrike(Duration limit);
}
