package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import org.junit.jupiter.api.Test;

/** Single tries of a client that finds the lock busy again and again. */
class SingleTryTest extends ContendersOfOneLock {

    private TestContender single() {
        return new TestContender(other, request().withoutWaiting());
    }

    /** Returns the number of the transaction that last created or deleted a node of the lock. */
    private long lastChange() throws Exception {
        return SharedZooKeeper.operator().exists(directory, false).getPzxid();
    }

    @Test
    void v6_aTryThatFollowsABusyAnswerChangesNothing() throws Exception {
        waiting(one).acquire();
        single().findBusy();
        long before = lastChange();

        single().findBusy();

        assertThat(lastChange()).isEqualTo(before);
    }

    @Test
    void s1_aTryThatFollowsABusyAnswerAcquiresAFreeLock() throws Exception {
        Grant held = waiting(one).acquire();
        single().findBusy();
        release(held);

        Grant next = single().acquire();

        assertThat(next.fencingBase()).isGreaterThan(held.fencingBase());
        waiting(one).findBusy();
    }

    @Test
    void s1_aTryCreatesADirectoryThatTheServerHasRemoved() throws Exception {
        Grant held = waiting(one).acquire();
        single().findBusy();
        release(held);
        SharedZooKeeper.delete(directory);

        single().acquire();

        assertThat(nodes()).hasSize(1);
    }
}
