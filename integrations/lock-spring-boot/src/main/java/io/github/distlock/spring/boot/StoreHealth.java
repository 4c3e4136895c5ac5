package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import java.util.Map;
import java.util.TreeMap;
import org.springframework.beans.factory.ListableBeanFactory;

/**
 * Asks the store of each client for one lock that nobody uses. Each read takes the client's request timeout at most. A
 * refusal fails it, too, such as one for a wrong password or for missing rights: acquires need the same rights, so the
 * application gets no lock. Busy locks, lost holds and dead clients change nothing.
 *
 * <p>The two generations of Boot have their own classes for health, which {@link Boot3HealthAutoConfiguration} and
 * {@link Boot4HealthAutoConfiguration} turn this into.
 */
final class StoreHealth {
    /** Not the name of a lock that an application would choose. */
    private static final String NAME = "distlock health check";

    private final ListableBeanFactory beans;

    StoreHealth(ListableBeanFactory beans) {
        this.beans = beans;
    }

    /** Returns the failures by the names of the beans. */
    Map<String, LockException> failures() {
        Map<String, LockException> failures = new TreeMap<>();
        // Not injected: clients that are no default candidates count, too. No prototypes, which would be new clients.
        beans.getBeansOfType(LockClient.class, false, true).forEach((name, client) -> {
            try {
                var unused = client.inspector().inspect(NAME);
            } catch (LockException e) {
                failures.put(name, e);
            } catch (UnsupportedOperationException e) {
                // This backend cannot be asked. The health of the others counts.
            }
        });
        return failures;
    }
}
