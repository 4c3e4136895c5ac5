package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.waiting.Waiting;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A handle of the backend's own client answers frequent requests on the thread that reads them. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class DirectClientTest {
    private static final String SEND_THREAD = "SendThread";
    private static final String EVENT_THREAD = "EventThread";

    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final String base = SharedZooKeeper.freshPath();
    private final Queue<WatchedEvent> events = new ConcurrentLinkedQueue<>();
    private final Queue<Reply> replies = new ConcurrentLinkedQueue<>();
    private DirectClient client;

    private record Reply(
            Code code, @Nullable String path, @Nullable Object value, String thread) {
        void expect(Code expected, String path, String role) {
            assertThat(code).isEqualTo(expected);
            assertThat(this.path).isEqualTo(path);
            assertThat(thread).contains(role);
        }
    }

    @BeforeEach
    void connect() throws Exception {
        SharedZooKeeper.createDirectory(base, base + "/node");
        client = client(base);
    }

    private DirectClient client(String chroot) throws Exception {
        CountDownLatch connected = new CountDownLatch(1);
        ZooKeeper made = DirectClient.factory()
                .newZooKeeper(
                        SharedZooKeeper.address() + chroot,
                        30_000,
                        event -> {
                            events.add(event);
                            connected.countDown();
                        },
                        false);
        Waiting.await("it is connected", TestContender.PATIENCE, () -> connected.getCount() == 0);
        return (DirectClient) made;
    }

    @AfterEach
    void close() throws InterruptedException {
        client.close();
    }

    private void replied(int code, @Nullable String path, @Nullable Object value) {
        replies.add(
                new Reply(Code.get(code), path, value, Thread.currentThread().getName()));
    }

    private Reply awaitReply() {
        Waiting.await("the server answers", TestContender.PATIENCE, () -> !replies.isEmpty());
        return replies.remove();
    }

    private Reply create(String path, CreateMode mode) {
        client.create(
                path,
                new byte[0],
                Ids.OPEN_ACL_UNSAFE,
                mode,
                (code, asked, context, name, stat) -> {
                    assertThat(stat == null).isEqualTo(name == null);
                    replied(code, name, stat);
                },
                null);
        return awaitReply();
    }

    private Reply exists(String path, boolean watch) {
        client.exists(path, watch, (code, asked, context, stat) -> replied(code, asked, stat), null);
        return awaitReply();
    }

    private Reply children(String path, boolean watch) {
        client.getChildren(path, watch, (code, asked, context, children) -> replied(code, asked, children), null);
        return awaitReply();
    }

    private Reply delete(String path, int version) {
        client.delete(path, version, (code, asked, context) -> replied(code, asked, null), null);
        return awaitReply();
    }

    private void awaitEvent(EventType type, String path) {
        Waiting.await(
                "the event comes",
                TestContender.PATIENCE,
                () -> events.stream().anyMatch(event -> event.getType() == type && path.equals(event.getPath())));
    }

    @Test
    void api_aCreationIsAnsweredOnTheThreadThatReadsIt() throws Exception {
        Reply made = create("/n-", CreateMode.EPHEMERAL_SEQUENTIAL);

        made.expect(Code.OK, "/n-0000000001", SEND_THREAD);
        assertThat(made.value).isEqualTo(operator.exists(base + "/n-0000000001", false));
        Reply refused = create("/node", CreateMode.PERSISTENT);
        assertThat(refused.code).isEqualTo(Code.NODEEXISTS);
        assertThat(refused.path).isNull();
    }

    @Test
    void api_aNodeThatTheServerRemovesByItselfIsCreatedByTheLibrary() {
        create("/container", CreateMode.CONTAINER).expect(Code.OK, "/container", EVENT_THREAD);

        assertThatThrownBy(() -> create("/ttl", CreateMode.PERSISTENT_WITH_TTL))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("ttl");
    }

    @Test
    void api_aDeletionIsAnsweredOnTheThreadThatReadsIt() {
        delete("/node", 7).expect(Code.BADVERSION, "/node", SEND_THREAD);
        delete("/node", -1).expect(Code.OK, "/node", SEND_THREAD);
        delete("/node", -1).expect(Code.NONODE, "/node", SEND_THREAD);

        assertThat(SharedZooKeeper.exists(base + "/node")).isFalse();
    }

    @Test
    void api_aReadIsAnsweredOnTheThreadThatReadsIt() throws Exception {
        Reply found = exists("/node", false);
        found.expect(Code.OK, "/node", SEND_THREAD);
        assertThat(found.value).isEqualTo(operator.exists(base + "/node", false));
        Reply missing = exists("/missing", false);
        missing.expect(Code.NONODE, "/missing", SEND_THREAD);
        assertThat(missing.value).isNull();

        Reply listed = children("/", false);
        listed.expect(Code.OK, "/", SEND_THREAD);
        assertThat(listed.value).isEqualTo(List.of("node"));
        Reply unlisted = children("/missing", false);
        unlisted.expect(Code.NONODE, "/missing", SEND_THREAD);
        assertThat(unlisted.value).isNull();

        assertThat(client.isWatched("/node")).isFalse();
    }

    @Test
    void api_aWatchIsSetByTheLibrary() throws Exception {
        exists("/node", true).expect(Code.OK, "/node", EVENT_THREAD);
        children("/node", true).expect(Code.OK, "/node", EVENT_THREAD);
        assertThat(client.isWatched("/node")).isTrue();

        operator.create(base + "/node/child", new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
        awaitEvent(EventType.NodeChildrenChanged, "/node");
        operator.setData(base + "/node", new byte[0], -1);
        awaitEvent(EventType.NodeDataChanged, "/node");

        assertThat(client.isWatched("/node")).isFalse();
    }

    @Test
    void api_pathsAreThoseOfTheServerWithoutAChroot() throws Exception {
        client.close();
        client = client("");

        create(base + "/new", CreateMode.PERSISTENT).expect(Code.OK, base + "/new", SEND_THREAD);
        exists(base + "/new", false).expect(Code.OK, base + "/new", SEND_THREAD);
        assertThat(children("/", false).value)
                .asInstanceOf(InstanceOfAssertFactories.LIST)
                .contains(base.substring(1));
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v4_aRequestOverAClosedHandleIsAnswered(boolean watch) throws Exception {
        client.close();

        assertThat(exists("/node", watch).code).isEqualTo(Code.SESSIONEXPIRED);
    }

    @Test
    void v4_anAnswerThatCannotBeTakenIsAnError() {
        client.delete(
                "/node",
                -1,
                (code, asked, context) -> {
                    replied(code, asked, null);
                    if (code == Code.OK.intValue()) {
                        throw new OutOfMemoryError();
                    }
                },
                null);

        awaitReply().expect(Code.OK, "/node", SEND_THREAD);
        awaitReply().expect(Code.SYSTEMERROR, "/node", SEND_THREAD);
    }
}
