package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.request;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.tests.RecordingContext;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.client.ZKClientConfig;
import org.apache.zookeeper.common.ZKConfig;
import org.junit.jupiter.api.Test;

/** Which directories are names in use, and how many of them one look takes. */
class NameListingTest extends ContendersOfOneLock {
    private final ZooKeeper operator = SharedZooKeeper.operator();

    private static List<String> listed(LockBackend backend, String prefix) throws InterruptedException {
        List<String> names = new ArrayList<>();
        Optional<String> position = Optional.empty();
        do {
            LockNames page = backend.list(prefix, position, TestContender.deadline());
            assertThat(page.names().size()).isLessThanOrEqualTo(500);
            names.addAll(page.names());
            position = page.next();
        } while (position.isPresent());
        return names;
    }

    private void create(String path) throws Exception {
        var unused = operator.create(path, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
    }

    @Test
    void api_aNameIsListedFromItsFirstToItsLastContender() throws Exception {
        assertThat(listed(one, "")).isEmpty();
        SharedZooKeeper.createDirectory(base, directory);

        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        assertThat(listed(one, "")).containsExactly("lock");
        assertThat(listed(other, "loc")).containsExactly("lock");
        assertThat(listed(other, "lock/")).isEmpty();

        deleteNode(0);
        assertThat(listed(one, "")).containsExactly("lock");
        waiter.withdraw();
        assertThat(SharedZooKeeper.exists(directory)).isTrue();
        assertThat(listed(one, "")).isEmpty();
        assertThat(held.release(TestContender.deadline())).isEqualTo(Grant.Release.GONE);
    }

    @Test
    void s13_aKeptLockIsListedUntilItsTimeIsOverAndNotUntilItsNodeIsDeleted() throws Exception {
        Grant held = new TestContender(one, request().withMinimumHold(Duration.ofMinutes(1))).acquire();
        assertThat(held.keep(Duration.ofMinutes(1), TestContender.deadline())).isEqualTo(Grant.Release.RELEASED);

        assertThat(listed(other, "")).containsExactly("lock");

        String node = directory + "/" + nodes().get(0);
        String data = new String(operator.getData(node, false, null), StandardCharsets.UTF_8);
        operator.setData(node, data.replaceAll("kept=\\d+", "kept=1").getBytes(StandardCharsets.UTF_8), -1);
        await("its time is over", () -> {
            try {
                return listed(other, "").isEmpty();
            } catch (InterruptedException e) {
                throw new IllegalStateException(e);
            }
        });
        assertThat(nodes()).hasSize(1);
    }

    @Test
    void api_manyNamesComeInPagesAndForeignDirectoriesAreLeftOut() throws Exception {
        create(base);
        for (String foreign : List.of("%zz", "a b", "%41")) {
            create(base + "/" + foreign);
            create(base + "/" + foreign + "/_c_x-lock-0000000000");
        }
        List<String> names =
                IntStream.range(0, 1_200).mapToObj(i -> "many/%" + i).toList();
        for (String each : names) {
            String path = base + "/" + LockPaths.encode(each);
            create(path);
            create(path + "/_c_x-lock-0000000000");
        }

        assertThat(listed(one, "")).containsExactlyInAnyOrderElementsOf(names);
        assertThat(listed(one, "many/%119")).hasSize(11);
    }

    @Test
    void v8_moreNamesThanAReplyHasRoomForAreRefusedAndTheConnectionStays() throws Exception {
        ZKClientConfig smallReplies = new ZKClientConfig();
        smallReplies.setProperty(ZKConfig.JUTE_MAXBUFFER, "6400");
        create(base);
        for (int i = 0; i <= 100; i++) {
            create(base + "/name" + i);
        }
        try (CuratorFramework curator = CuratorFrameworkFactory.builder()
                        .connectString(SharedZooKeeper.address())
                        .retryPolicy(new RetryOneTime(100))
                        .zkClientConfig(smallReplies)
                        .build();
                LockBackend limited =
                        ZooKeeperBackend.builder(curator).basePath(base).build()) {
            curator.start();
            limited.start(new RecordingContext("test"));
            var unused = waiting(limited).acquire();
            long session = curator.getZookeeperClient().getZooKeeper().getSessionId();

            assertThatThrownBy(() -> listed(limited, "name7"))
                    .isInstanceOf(RequestRefusedException.class)
                    .hasMessageContaining("102 children")
                    .hasMessageContaining("jute.maxbuffer");

            SharedZooKeeper.delete(base + "/name0");
            SharedZooKeeper.delete(base + "/name1");
            assertThat(listed(limited, "")).containsExactly("lock");
            assertThat(curator.getZookeeperClient().getZooKeeper().getSessionId())
                    .isEqualTo(session);
        }
    }

    @Test
    void api_withAMappingOfNamesToPathsTheRefusalNamesTheMapping() {
        ZooKeeperBackend mapped = ZooKeeperBackend.builder(SharedZooKeeper.address())
                .paths(name -> base + "/" + name)
                .build();
        try (LockClient client = LockClient.create(mapped)) {
            assertThat(mapped.capabilities()).doesNotContain(Capability.LIST);
            assertThatThrownBy(() -> client.inspector().list("", 10))
                    .isInstanceOf(UnsupportedOperationException.class)
                    .hasMessageContaining("ZooKeeperBackendBuilder.paths");
        }
    }
}
