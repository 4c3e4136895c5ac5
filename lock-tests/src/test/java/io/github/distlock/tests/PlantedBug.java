package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * A backend over the in-memory store with one bug, and the rules that must find it.
 *
 * @param bug what is wrong, as a reader of the contract would say it
 * @param numbers of the rules, each of which must fail, with blanks between them
 * @param over one client's way to a store
 */
record BrokenBackend(String bug, String numbers, Function<InMemoryStore, LockBackend> over) {

    /** All that are planted, by what is broken. */
    static Map<String, List<BrokenBackend>> groups() {
        Map<String, List<BrokenBackend>> groups = new LinkedHashMap<>();
        groups.put("Exclusion", BrokenExclusion.all());
        groups.put("Fencing tokens", BrokenTokens.all());
        groups.put("Leases and deadlines", BrokenTerms.all());
        groups.put("Renewal", BrokenRenewals.all());
        groups.put("Release", BrokenReleases.all());
        groups.put("Clean-up and lost replies", BrokenWithdrawals.all());
        groups.put("Waiting", BrokenWaits.all());
        groups.put("Clients", BrokenClients.all());
        return groups;
    }

    static Stream<BrokenBackend> all() {
        return groups().values().stream().flatMap(List::stream);
    }

    List<String> rules() {
        return List.of(numbers.split(" ", -1));
    }

    @Override
    public String toString() {
        return bug;
    }
}
