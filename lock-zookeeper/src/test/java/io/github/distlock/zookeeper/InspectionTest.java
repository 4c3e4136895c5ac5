package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.servers.FaultProxy;
import java.time.Duration;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Forced releases by a fencing base, without an engine. The inspector's requests can be delayed. */
class InspectionTest extends ContendersOfOneLock {
    private static final LockMode READ = LockMode.READ;
    private static final LockMode WRITE = LockMode.WRITE;
    private static final Duration DELAY = Duration.ofSeconds(2);

    private List<LockStatus.Holder> forceRelease(long base) throws InterruptedException {
        return other.forceRelease("lock", OptionalLong.of(base), deadline());
    }

    private interface Step {
        void run() throws Exception;
    }

    /**
     * Does something while one of the inspector's requests is on its way.
     *
     * @param earlier how many requests for the node come before that one: none for the reading, one for the deletion
     */
    private List<LockStatus.Holder> forceReleaseDuring(Step step, int earlier, long base) throws Exception {
        CountDownLatch arrived = new CountDownLatch(1);
        AtomicInteger requests = new AtomicInteger();
        Predicate<byte[]> ofNode = FaultProxy.containing(nodes().get(0));
        link.delayNextRequest(
                request -> {
                    boolean isMeant = ofNode.test(request) && requests.getAndIncrement() == earlier;
                    if (isMeant) {
                        arrived.countDown();
                    }
                    return isMeant;
                },
                DELAY);
        FutureTask<List<LockStatus.Holder>> forced = new FutureTask<>(() -> forceRelease(base));
        new Thread(forced).start();
        assertThat(arrived.await(TestContender.PATIENCE.toSeconds(), TimeUnit.SECONDS))
                .isTrue();
        step.run();
        return forced.get();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void api_aForcedReleaseEndsAWriterThatBecomesAReaderMeanwhile(int earlier) throws Exception {
        Grant written = contending(one, WRITE).acquire();

        List<LockStatus.Holder> ended = forceReleaseDuring(
                () -> assertThat(written.downgrade(deadline())).isPresent(), earlier, written.fencingBase());

        assertThat(ended).extracting(LockStatus.Holder::mode).containsExactly(READ);
        assertThat(nodes()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void api_aForcedReleaseSparesTheNextHolderIfTheHoldEndsMeanwhile(int earlier) throws Exception {
        Grant held = contending(one, WRITE).acquire();
        TestContender next = busyOf(one, WRITE);

        List<LockStatus.Holder> ended = forceReleaseDuring(
                () -> {
                    release(held);
                    await("the event of the release has arrived", () -> next.wakeUps.get() > 0);
                    next.acquire();
                },
                earlier,
                held.fencingBase());

        assertThat(ended).isEmpty();
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void api_theNumberOfAWaitersNodeNamesNoHold() throws Exception {
        contending(one, WRITE).acquire();
        busyOf(one, READ);
        String waiter = directory + "/" + nodes().get(1);
        long czxid = SharedZooKeeper.operator().exists(waiter, false).getCzxid();

        assertThat(forceRelease(czxid)).isEmpty();

        assertThat(nodes()).hasSize(2);
    }
}
