package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.engine.HoldLincheckTest.ThreadlessEngine;
import java.util.List;
import java.util.Random;
import java.util.function.BiConsumer;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Many random programs of the operations that the model checks use, each on one thread. They find what needs no race,
 * within a second. So each build runs them, and so does each mutation of the classes under them.
 */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RandomProgramsTest {
    private static final int PROGRAMS = 250;
    private static final int LONGEST = 24;

    private static <M> void run(
            Supplier<M> models,
            Consumer<M> endsWell,
            Function<M, ThreadlessEngine> client,
            List<BiConsumer<M, Random>> operations) {
        for (int seed = 0; seed < PROGRAMS; seed++) {
            Random random = new Random(seed);
            M model = models.get();
            int length = 1 + random.nextInt(LONGEST);
            try {
                for (int i = 0; i < length; i++) {
                    operations.get(random.nextInt(operations.size())).accept(model, random);
                }
                endsWell.accept(model);
                // The models cannot check this: the model checker changes the hash codes of leases.
                assertThat(client.apply(model).keeper.leases())
                        .as("ended leases that are renewed")
                        .isEmpty();
            } catch (AssertionError e) {
                throw new AssertionError("program " + seed + ": " + e.getMessage(), e);
            }
        }
    }

    /** Otherwise cleanup finds after a lease that the grant has ended by itself, and leaves it. */
    private static void workInTime(Runnable backgroundWork) {
        for (int i = 0; i < LONGEST; i++) {
            backgroundWork.run();
        }
    }

    @Test
    void s8_aHoldEndsOnceAndOneWay() {
        run(
                HoldLincheckTest.Model::new,
                HoldLincheckTest.Model::endsWell,
                model -> model.client,
                List.of(
                        (model, random) -> model.accept(),
                        (model, random) -> model.decline(),
                        (model, random) -> model.giveUp(),
                        (model, random) -> model.release(random.nextInt(2), random.nextBoolean()),
                        (model, random) -> model.releaseAsync(random.nextInt(2)),
                        (model, random) -> model.listen(random.nextInt(2)),
                        (model, random) -> model.look(random.nextInt(2)),
                        (model, random) -> model.overlap(),
                        (model, random) -> {
                            workInTime(model::backgroundWork);
                            model.timePasses(random.nextInt(3));
                        },
                        (model, random) -> model.renew(random.nextInt(4)),
                        (model, random) -> model.gone(),
                        (model, random) -> model.suspect(),
                        (model, random) -> model.expire(),
                        (model, random) -> model.backgroundWork()));
    }

    @Test
    void v2_noWaiterIsForgottenAndNoGrantHasTwoHolders() {
        run(
                LocalQueueLincheckTest.Model::new,
                LocalQueueLincheckTest.Model::endsWell,
                model -> model.client,
                List.of(
                        (model, random) -> model.go(random.nextInt(4)),
                        (model, random) -> model.go(random.nextInt(4)),
                        (model, random) -> model.release(),
                        (model, random) -> model.giveUp(random.nextInt(4)),
                        (model, random) -> model.willDecline(random.nextInt(3)),
                        (model, random) -> model.loseAnswer(random.nextBoolean()),
                        (model, random) -> model.passingEnds(),
                        (model, random) -> model.suspect(),
                        (model, random) -> model.backgroundWork()));
    }

    @Test
    void s5_theLastReaderReleasesAndNobodyJoinsAfterIt() {
        run(
                SharedLeaseLincheckTest.Model::new,
                SharedLeaseLincheckTest.Model::endsWell,
                model -> model.client,
                List.of(
                        (model, random) -> model.join(1 + random.nextInt(2)),
                        (model, random) -> model.join(1 + random.nextInt(2)),
                        (model, random) -> model.willDecline(1 + random.nextInt(2)),
                        (model, random) -> model.release(random.nextInt(3)),
                        (model, random) -> model.look(random.nextInt(3)),
                        (model, random) -> model.gone(),
                        (model, random) -> model.wanted(),
                        (model, random) -> {
                            workInTime(model::backgroundWork);
                            model.timePasses(random.nextInt(3));
                        },
                        (model, random) -> model.backgroundWork()));
    }
}
