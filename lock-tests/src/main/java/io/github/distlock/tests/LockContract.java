package io.github.distlock.tests;

import org.junit.jupiter.api.Nested;

/**
 * The contract of every backend, as JUnit tests: what the library promises, as engine and backend keep it together. The
 * test of a backend extends this class and provides the store:
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
 * <p>The name of each test begins with the number of the rule that it checks: S for safety, V for liveness, F for
 * faults of the server, the network and the client, API for what the public types say. {@code docs/contract.md} states
 * the rules with their reasons, bounds and sources; this artifact contains it as
 * {@code io/github/distlock/tests/contract.md}. A failure names the rule, what was expected, what was seen, and where
 * the author of a backend looks first.
 *
 * <p>No test is skipped. If a backend lacks a {@link io.github.distlock.spi.Capability}, the contract checks that the
 * engine refuses what needs it. A fixture that is a {@link ServerFixture} gets all faults; the contract reports by name
 * what another cannot cause.
 */
public abstract class LockContract {

    /** For the contract of one backend. */
    protected LockContract() {}

    /**
     * Opens an empty store for one test. The contract closes it after the test.
     *
     * @return a new fixture
     * @throws Exception if there is none, which fails the test
     */
    protected abstract BackendFixture newFixture() throws Exception;

    @Nested
    final class Exclusion extends ExclusionRules {}

    @Nested
    final class ReadersAndWriters extends ReadWriteRules {}

    @Nested
    final class Permits extends PermitRules {}

    @Nested
    final class Kinds extends KindRules {}

    @Nested
    final class Tokens extends TokenRules {}

    @Nested
    final class Releases extends ReleaseRules {}

    @Nested
    final class LocalHandoffs extends HandoffRules {}

    @Nested
    final class MinimumHolds extends MinimumHoldRules {}

    @Nested
    final class LockDelays extends LockDelayRules {}

    @Nested
    final class StickyLocks extends StickyRules {}

    @Nested
    final class ReleaseRequests extends ReleaseRequestRules {}

    @Nested
    final class Losses extends LossRules {}

    @Nested
    final class Renewals extends RenewalRules {}

    @Nested
    final class Extensions extends ExtensionRules {}

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
