package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a sticky hold hears of other contenders, and when it no longer relies on that: see {@link OthersWatch}. */
class StickyTest extends ContendersOfOneLock {
    private final TestContender holder = sticky(other);

    private static TestContender sticky(LockBackend backend) {
        return new TestContender(backend, request().withSticky(true));
    }

    private TestContender trying() {
        return new TestContender(one, request().withoutWaiting());
    }

    private void expectWanted(Grant held) {
        await("the holder hears of the other contender", () -> holder.timesWanted.get() > 0);
        assertThat(held.hearsOthers()).isFalse();
    }

    @Test
    void v11_aStickyHoldOfALockWithoutAQueueHearsOfATry() throws Exception {
        Grant held = holder.acquire();
        assertThat(held.hearsOthers()).isTrue();

        trying().findBusy();

        expectWanted(held);
    }

    @Test
    void v11_v12_aStickyHoldHearsOfARequestForRelease() throws Exception {
        Grant held = holder.acquire();

        assertThat(one.requestRelease("lock", request().owner(), TestContender.deadline()))
                .isOne();

        expectWanted(held);
    }

    /** Otherwise such a client tries without a node, of which nobody hears. */
    @Test
    void v11_aStickyHoldHearsOfATryThatFollowsABusyAnswer() throws Exception {
        Grant before = waiting(other).acquire();
        trying().findBusy();
        release(before);

        Grant held = holder.acquire();
        trying().findBusy();

        expectWanted(held);
    }

    @Test
    void v11_aHoldThatOthersWaitForIsNotSticky() throws Exception {
        Grant before = waiting(one).acquire();
        holder.findBusy();
        waitingBusy(one);
        release(before);
        await("the holder is woken", () -> holder.wakeUps.get() > 0);

        assertThat(holder.acquire().hearsOthers()).isFalse();
    }

    @Test
    void v11_aHoldIsNotStickyAnyMoreOnceItsConnectionHasBroken() throws Exception {
        Grant held = holder.acquire();

        link.cut();

        await("the holder relies on no events", () -> !held.hearsOthers());
    }

    @Test
    void api_aReleaseTellsItsOwnClientNothing() throws Exception {
        Grant held = holder.acquire();

        release(held);
        Grant next = sticky(other).acquire();

        assertThat(next.hearsOthers())
                .as("the event of the release has arrived")
                .isTrue();
        assertThat(holder.timesWanted).hasValue(0);
    }

    @Test
    void v11_aLockWithoutThatOptionHearsNothing() throws Exception {
        Grant held = waiting(other).acquire();

        assertThat(held.hearsOthers()).isFalse();
        assertThat(SharedZooKeeper.watched(directory)).isEmpty();
    }

    @Test
    void v11_aWatchThatComesTooLateIsNone() throws Exception {
        Grant held = waiting(other).acquire();
        String own = nodes().get(0);
        waitingBusy(one);
        LockDirectory missing = directory(held, base + "/missing");

        for (LockDirectory late : List.of(directory(held, directory), missing)) {
            assertThat(OthersWatch.set(late, session(held), own, holder, TestContender.deadline()))
                    .isNull();
        }

        waitingBusy(one);
        var unused = other.inspect("lock", TestContender.deadline());
        assertThat(holder.timesWanted).as("the event has come before").hasValue(0);
    }
}
