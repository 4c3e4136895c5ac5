package io.github.distlock.tests;

import org.junit.jupiter.api.Tag;

/** The in-memory store keeps the contract. */
@Tag("contract-runs")
class InMemoryContractTest extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new InMemoryFixture();
    }
}
