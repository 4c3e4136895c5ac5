package io.github.distlock.tests;

/** The in-memory store keeps the contract. */
class InMemoryContractTest extends LockContract {
    @Override
    protected BackendFixture newFixture() {
        return new InMemoryFixture();
    }
}
