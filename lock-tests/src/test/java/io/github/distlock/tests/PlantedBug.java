package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A bug that the author of a backend could make, and the rules that must find it.
 *
 * @param bug what is wrong
 * @param numbers of the rules, each of which must fail, with blanks between them
 * @param plant changes what a backend does
 */
record PlantedBug(String bug, String numbers, Consumer<BrokenBackend> plant) {

    static Map<String, List<PlantedBug>> groups() {
        Map<String, List<PlantedBug>> groups = new LinkedHashMap<>();
        groups.put("Exclusion", BrokenExclusion.all());
        groups.put("Readers and writers", BrokenReaders.all());
        groups.put("Permits and kinds", BrokenPermits.all());
        groups.put("Fencing tokens", BrokenTokens.all());
        groups.put("Local handoffs", BrokenHandoffs.all());
        groups.put("Leases and deadlines", BrokenTerms.all());
        groups.put("Renewal", BrokenRenewals.all());
        groups.put("Release", BrokenReleases.all());
        groups.put("Minimum holds", BrokenMinimumHolds.all());
        groups.put("Lock delays", BrokenLockDelays.all());
        groups.put("Sticky locks", BrokenStickyLocks.all());
        groups.put("Requests for release", BrokenReleaseRequests.all());
        groups.put("Cleanup and lost replies", BrokenWithdrawals.all());
        groups.put("Waiting", BrokenWaits.all());
        groups.put("Clients", BrokenClients.all());
        groups.put("Inspection and forced release", BrokenInspections.all());
        groups.put("Connections and processes", BrokenConnections.all());
        return groups;
    }

    static Stream<PlantedBug> all() {
        return groups().values().stream().flatMap(List::stream);
    }

    List<String> rules() {
        return List.of(numbers.split(" ", -1));
    }

    BrokenBackend over(InMemoryStore store) {
        BrokenBackend backend = new BrokenBackend(store);
        plant.accept(backend);
        return backend;
    }

    @Override
    public String toString() {
        return bug;
    }
}
