package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockMode;
import io.github.distlock.tests.servers.FaultProxy;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** The directory of a lock, without contenders. */
class LockDirectoryTest extends ContendersOfOneLock {

    private List<String> warnings(LockMode mode, String... nodes) throws Exception {
        Grant held = waiting(one).acquire();
        try (CapturedLog log = new CapturedLog()) {
            // Tests that run at the same time also log warnings, of locks named "lock".
            new LockDirectory((Connection) held.server(), base, directory)
                    .warn(session(held), LockQueue.of(List.of(nodes)), mode);
            return log.lines().stream()
                    .filter(line -> line.contains("\"" + base + "\""))
                    .toList();
        }
    }

    @Test
    void v3_aDirectoryIsCreatedWithItsAncestors() throws Exception {
        Grant held = waiting(one).acquire();
        String path = base + "/a/b/c";

        directory(held, path).create(session(held), deadline());

        assertThat(SharedZooKeeper.exists(path)).isTrue();
    }

    /** A server deletes container nodes that have become empty, one after the other. */
    @Test
    void v3_aDirectoryIsCreatedAlthoughItsParentIsDeletedMeanwhile() throws Exception {
        Grant held = waiting(other).acquire();
        String parent = base + "/a";
        String path = parent + "/b";
        AtomicInteger requests = new AtomicInteger();
        link.dropNextRequest(
                request -> {
                    // The first one finds no parent.
                    if (FaultProxy.containing(path).test(request) && requests.incrementAndGet() == 2) {
                        SharedZooKeeper.delete(parent);
                    }
                    return false;
                },
                FaultProxy.Then.CUT);

        directory(held, path).create(session(held), deadline());

        assertThat(SharedZooKeeper.exists(path)).isTrue();
        assertThat(requests).hasValue(3);
    }

    @Test
    void s1_aNodeOfAnotherProgramIsWarnedOf() throws Exception {
        assertThat(warnings(LockMode.EXCLUSIVE, "another-0000000000", "_c_x-lock-0000000001"))
                .singleElement()
                .asString()
                .contains("another-0000000000", "may not respect the nodes of this client");
    }

    @Test
    void s10_anotherLimitIsWarnedOf() throws Exception {
        assertThat(warnings(LockMode.permits(1, 3), "_c_x-permits-1-2-0000000000"))
                .singleElement()
                .asString()
                .contains("limit of 3 permits", "another client has 2");
    }

    @Test
    void s10_onlyClientsOfPermitsAreWarnedOfAnotherLimit() throws Exception {
        assertThat(warnings(LockMode.EXCLUSIVE, "_c_x-permits-1-2-0000000000")).isEmpty();
    }
}
