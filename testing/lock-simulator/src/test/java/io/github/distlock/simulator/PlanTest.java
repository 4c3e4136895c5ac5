package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.simulator.zookeeper.ZooKeeperStore;
import java.util.EnumSet;
import java.util.List;
import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class PlanTest {
    private static final List<String> FAULTS = List.of("a fault of the store");

    private static Plan plan(long seed) {
        return Plan.of(seed, Stores.MEMORY, FAULTS);
    }

    @Test
    void aSeedHasOnePlan() {
        assertThat(plan(5)).isEqualTo(plan(5)).isNotEqualTo(plan(6));
    }

    @Test
    void plansHaveAllKindsOfFaults() {
        List<String> kinds = LongStream.range(0, 100)
                .mapToObj(PlanTest::plan)
                .flatMap(plan -> plan.faults().stream())
                .map(Plan.Fault::kind)
                .distinct()
                .toList();

        assertThat(kinds).containsAll(FAULTS).containsAll(Faults.OF_PROCESSES);
    }

    @Test
    void aProcessWithoutUsersAndItsFaultsAreLeftOut() {
        Plan whole = LongStream.range(0, 100)
                .mapToObj(PlanTest::plan)
                .filter(plan -> plan.processes().size() == 3 && plan.faults().size() > 20)
                .findFirst()
                .orElseThrow();

        Plan smaller = whole.withUsers(
                whole.users().stream().filter(user -> user.process() == 2).toList());

        assertThat(smaller.processes()).extracting(Plan.Member::number).containsExactly(2);
        assertThat(smaller.faults()).isNotEmpty().allMatch(fault -> fault.process() == 2);
    }

    @Test
    void anExcludedFaultChangesNothingElse() {
        Plan usual = plan(5);

        Plan excluded = Plan.of(5, Stores.MEMORY, FAULTS, "lost data");

        assertThat(excluded.faults()).extracting(Plan.Fault::kind).contains("lost data");
        assertThat(excluded.faults().stream()
                        .filter(fault -> !fault.kind().equals("lost data"))
                        .map(Plan.Fault::at))
                .isEqualTo(usual.faults().stream().map(Plan.Fault::at).toList());
        assertThat(excluded.users()).isEqualTo(usual.users());
        assertThat(excluded.schedule()).isEqualTo(usual.schedule());
        assertThat(excluded.options(excluded)).isEqualTo("--store memory --seed 5 --excluded");
    }

    @Test
    void clocksDriftBeyondTheBoundOnlyIfThatIsAskedFor() {
        assertThat(plan(5).processes()).allMatch(process -> Math.abs(process.rate() - 1) < 0.005);
        assertThat(Plan.of(5, Stores.MEMORY, FAULTS, Faults.DRIFT).processes())
                .isNotEmpty()
                .allMatch(process -> Math.abs(process.rate() - 1) > 0.05);
    }

    @Test
    void theOptionsNameWhatIsLeft() {
        Plan whole = LongStream.range(0, 100)
                .mapToObj(PlanTest::plan)
                .filter(plan -> plan.faults().size() > 5)
                .findFirst()
                .orElseThrow();

        Plan smaller = whole.withFaults(whole.faults().subList(1, 3)).withOnly("lock0");

        assertThat(smaller.options(whole))
                .isEqualTo("--store memory --seed " + whole.seed() + " --faults 2,3 --only lock0");
    }

    @Test
    void inACrowdSeveralProcessesContendForOneLock() {
        List<Plan> crowds = LongStream.range(0, 100)
                .mapToObj(seed -> Plan.of(seed, Stores.CROWD, FAULTS))
                .toList();

        assertThat(crowds)
                .allMatch(Plan::isCrowded)
                .allMatch(plan -> plan.processes().size() > 1)
                .allMatch(plan -> plan.lockNames().contains(plan.only()));
        assertThat(crowds).extracting(Plan::only).contains("lock0", "shared", "permits");
        assertThat(crowds)
                .extracting(Plan::crowd)
                .doesNotContain(Plan.Crowd.NONE)
                .containsAll(EnumSet.range(Plan.Crowd.CALM, Plan.Crowd.FAULTY));
        assertThat(crowds.stream().filter(plan -> plan.faults().isEmpty()).count())
                .isBetween(20L, 80L);
    }

    @Test
    void aCrowdHasTheFaultsOfItsKind() {
        List<Plan> crowds = LongStream.range(0, 100)
                .mapToObj(seed -> Plan.of(seed, Stores.CROWD, FAULTS))
                .toList();

        assertThat(crowds)
                .filteredOn(plan -> plan.crowd() == Plan.Crowd.OPERATED)
                .flatExtracting(Plan::faults)
                .extracting(Plan.Fault::kind)
                .containsOnly(ZooKeeperStore.OPERATOR);
        assertThat(crowds)
                .filteredOn(plan -> plan.crowd() == Plan.Crowd.RECREATED)
                .flatExtracting(Plan::faults)
                .extracting(Plan.Fault::kind)
                .containsOnly(ZooKeeperStore.EMPTIED, Faults.SLOW_EVENTS);
    }
}
