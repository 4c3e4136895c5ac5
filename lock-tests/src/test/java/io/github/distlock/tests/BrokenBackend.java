package io.github.distlock.tests;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.util.List;
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

    /** All that are planted, in the order of what is broken. */
    static Stream<BrokenBackend> all() {
        return Stream.of(
                        BrokenExclusion.all(),
                        BrokenTokens.all(),
                        BrokenTerms.all(),
                        BrokenRenewals.all(),
                        BrokenReleases.all(),
                        BrokenWithdrawals.all(),
                        BrokenWaits.all(),
                        BrokenClients.all())
                .flatMap(List::stream);
    }

    List<String> rules() {
        return List.of(numbers.split(" ", -1));
    }

    @Override
    public String toString() {
        return bug;
    }
}
