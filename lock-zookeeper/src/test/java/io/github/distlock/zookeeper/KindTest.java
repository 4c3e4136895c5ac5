package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.request;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.RequestRefusedException;
import java.util.List;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** A name has one kind, while anybody holds or waits. */
class KindTest extends ContendersOfOneLock {
    private static final LockMode PERMIT = LockMode.permits(1, 9);

    private final ZooKeeper operator = SharedZooKeeper.operator();

    static List<Arguments> otherKinds() {
        return List.of(
                Arguments.of(LockMode.EXCLUSIVE, LockMode.READ, "a lock", "a read-write lock"),
                Arguments.of(LockMode.EXCLUSIVE, PERMIT, "a lock", "a semaphore"),
                Arguments.of(LockMode.READ, LockMode.EXCLUSIVE, "a read-write lock", "a lock"),
                Arguments.of(LockMode.WRITE, PERMIT, "a read-write lock", "a semaphore"),
                Arguments.of(PERMIT, LockMode.EXCLUSIVE, "a semaphore", "a lock"),
                Arguments.of(PERMIT, LockMode.WRITE, "a semaphore", "a read-write lock"));
    }

    private static void expectRefusal(TestContender contender, String used, String wanted) {
        assertThatThrownBy(contender::attempt)
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining("used as " + used)
                .hasMessageContaining("used as " + wanted);
    }

    @ParameterizedTest
    @MethodSource("otherKinds")
    void s12_anotherKindIsRefusedAndLeavesNothing(LockMode held, LockMode wanted, String used, String asked)
            throws Exception {
        Grant grant = contending(one, held).acquire();

        expectRefusal(contending(other, wanted), used, asked);
        expectRefusal(contending(other, wanted), used, asked);
        expectRefusal(new TestContender(other, request().withMode(wanted).withoutWaiting()), used, asked);

        assertThat(nodes()).hasSize(1);
        release(grant);
        contending(other, wanted).acquire();
    }

    private void create(String kind) throws Exception {
        operator.create(directory + "/x" + kind, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL);
    }

    @Test
    void s12_theFirstContenderDecidesAndALaterOneOfAnotherKindOnlyBlocks() throws Exception {
        Grant held = contending(one, LockMode.EXCLUSIVE).acquire();
        create("__READ__");
        TestContender waiter = busyOf(other, LockMode.EXCLUSIVE);

        release(held);
        waiter.findBusy();
        deleteNode(0);
        await("the waiter is woken", () -> waiter.wakeUps.get() > 0);

        waiter.acquire();
    }

    @Test
    void s12_contendersOfDifferentKindsNeverHoldTheLockTogether() throws Exception {
        contending(one, LockMode.READ).acquire();
        create("-lock-");
        TestContender reader = busyOf(other, LockMode.READ);

        deleteNode(1);
        await("the reader is woken", () -> reader.wakeUps.get() > 0);

        reader.acquire();
    }
}
