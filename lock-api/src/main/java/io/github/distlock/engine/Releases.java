package io.github.distlock.engine;

import io.github.distlock.LockHandle.Release;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;

/** How the grants of a client go back to the store: at once on the caller's thread, or in the background. */
final class Releases {
    private final Requests requests;
    private final CleanUp cleanUp;
    private final Work threads;

    Releases(Requests requests, CleanUp cleanUp, Work threads) {
        this.requests = requests;
        this.cleanUp = cleanUp;
        this.threads = threads;
    }

    /**
     * Releases a grant, and waits for the answer for at most the request timeout. Without an answer, the release goes
     * on in the background.
     *
     * @param confirmed runs if the background gets the answer
     * @return the outcome; lost if the store no longer had the grant
     */
    Release release(Grant grant, LockRequest request, Runnable confirmed) {
        requests.begin();
        try {
            boolean found = requests.sendUninterrupted(grant::release) == Grant.Release.RELEASED;
            return found ? Release.RELEASED : Release.LOST;
        } catch (RuntimeException e) {
            cleanUp.release(grant, request, confirmed);
            return Release.PENDING;
        } finally {
            requests.end();
        }
    }

    void releaseInBackground(Grant grant, LockRequest request) {
        cleanUp.release(grant, request, () -> {});
    }

    /** Runs a release on a thread of the engine. */
    void execute(Runnable release) {
        threads.execute(release);
    }
}
