package io.github.distlock.tests;

import org.junit.jupiter.api.Nested;

/**
 * The contract of every backend, as JUnit tests: the promises of the library as they come out of engine and backend
 * together. A backend's test extends it and says where its store is:
 *
 * <pre>{@code
 * class MyBackendContractTest extends LockContract {
 *     @Override
 *     protected BackendFixture newFixture() throws Exception {
 *         return new MyFixture();
 *     }
 * }
 * }</pre>
 *
 * <p>Each test carries the number of the rule that it checks: S1 to S8 are about safety, V1 to V9 about liveness, F1 to F3
 * about faults of the server, the network and the client, and those called API check what the public types say. A fixture
 * that is a {@link ServerFixture} gets all faults; what another cannot cause is reported by name ({@link StoreFault}). The
 * rules with their reasons, bounds and sources are in
 * {@code docs/contract.md}, which this artifact contains as {@code io/github/distlock/tests/contract.md}. Where a backend
 * lacks a {@link io.github.distlock.spi.Capability}, the refusal is checked; nothing is skipped. A failure says which rule
 * was broken, what was expected, what was seen, and where the author of a backend looks first.
 */
public abstract class LockContract {

    /** For the contract of one backend. */
    protected LockContract() {}

    /**
     * A store that holds nothing, for one test; closed after it.
     *
     * @return a new fixture
     * @throws Exception when there is none, which fails the test
     */
    protected abstract BackendFixture newFixture() throws Exception;

    @Nested
    final class Exclusion extends ExclusionRules {}

    @Nested
    final class Tokens extends TokenRules {}

    @Nested
    final class Releases extends ReleaseRules {}

    @Nested
    final class Losses extends LossRules {}

    @Nested
    final class Renewals extends RenewalRules {}

    @Nested
    final class Ambiguity extends AmbiguityRules {}

    @Nested
    final class Waiting extends WaitingRules {}

    @Nested
    final class Interrupts extends InterruptRules {}

    @Nested
    final class Closing extends CloseRules {}

    @Nested
    final class Leaks extends LeakRules {}

    @Nested
    final class Inputs extends InputRules {}

    @Nested
    final class Inspection extends InspectorRules {}

    @Nested
    final class ServerFaults extends ServerFaultRules {}

    @Nested
    final class NetworkFaults extends NetworkFaultRules {}

    @Nested
    final class ClientFaults extends ClientFaultRules {}
}
