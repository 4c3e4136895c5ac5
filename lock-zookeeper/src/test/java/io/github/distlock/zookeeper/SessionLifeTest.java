package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.tests.PromiseNames;
import io.github.distlock.zookeeper.SessionLife.Dependent;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.zookeeper.AsyncCallback.StatCallback;
import org.apache.zookeeper.AsyncCallback.VoidCallback;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

/** What a session tells its holds and waiters, for each event. The handle answers and asks nothing by itself. */
@DisplayNameGeneration(PromiseNames.class)
class SessionLifeTest {
    private final Recorder dependent = new Recorder();
    private Handle handle;
    private SessionLife life;

    private static final class Handle extends ZooKeeper {
        private final List<StatCallback> asked = new ArrayList<>();
        private final List<Watcher> removed = new ArrayList<>();
        private States state = States.CONNECTED;
        private boolean fails;

        Handle() throws IOException {
            super(SharedZooKeeper.address(), 30_000, event -> {});
        }

        @Override
        public States getState() {
            return state;
        }

        @Override
        public void exists(String path, Watcher watcher, StatCallback callback, Object context) {
            if (fails) {
                throw new OutOfMemoryError();
            }
            asked.add(callback);
        }

        @Override
        public void removeWatches(
                String path,
                Watcher watcher,
                Watcher.WatcherType type,
                boolean local,
                VoidCallback callback,
                Object context) {
            removed.add(watcher);
        }
    }

    private static final class Recorder implements Dependent {
        private final List<String> heard = new ArrayList<>();

        @Override
        public void disconnected() {
            heard.add("disconnected");
        }

        @Override
        public void connected() {
            heard.add("connected");
        }

        @Override
        public void ended() {
            heard.add("ended");
        }
    }

    @BeforeEach
    void connect() throws IOException {
        handle = new Handle();
        life = new SessionLife(handle);
    }

    @AfterEach
    void close() throws InterruptedException {
        handle.close();
    }

    private void connectionEvent(KeeperState state) {
        life.process(new WatchedEvent(EventType.None, state, null));
    }

    private void event(EventType type) {
        life.process(new WatchedEvent(type, KeeperState.SyncConnected, "/"));
    }

    private void answer(Code code) {
        handle.asked.get(handle.asked.size() - 1).processResult(code.intValue(), "/", null, null);
    }

    @Test
    void s6_aDependentHearsOfTheEndOnceAndIsForgotten() {
        life.register(dependent);
        assertThat(life.dependents()).isOne();
        assertThat(life.hasEnded()).isFalse();
        assertThat(dependent.heard).isEmpty();

        life.end();
        life.end();

        assertThat(dependent.heard).containsExactly("ended");
        assertThat(life.dependents()).isZero();
        assertThat(life.hasEnded()).isTrue();
    }

    @Test
    void s6_aDependentThatComesAfterTheEndHearsOfIt() {
        life.end();

        life.register(dependent);

        assertThat(dependent.heard).containsExactly("ended");
    }

    @Test
    void v6_aDependentThatHasGoneHearsNothing() {
        life.register(dependent);

        life.unregister(dependent);
        life.end();

        assertThat(dependent.heard).isEmpty();
    }

    @Test
    void s8_v2_dependentsHearOfEachChangeOfTheConnection() {
        life.register(dependent);

        connectionEvent(KeeperState.Disconnected);
        connectionEvent(KeeperState.SyncConnected);
        connectionEvent(KeeperState.ConnectedReadOnly);

        assertThat(dependent.heard).containsExactly("disconnected", "connected", "disconnected");
        assertThat(life.hasEnded()).isFalse();
    }

    @Test
    void s6_anEventThatSaysThatTheSessionHasEndedEndsIt() {
        for (KeeperState state : List.of(KeeperState.Expired, KeeperState.Closed)) {
            SessionLife another = new SessionLife(handle);

            another.process(new WatchedEvent(EventType.None, state, null));

            assertThat(another.hasEnded()).as("%s", state).isTrue();
        }
    }

    @Test
    void s6_aFailedAuthenticationEndsTheSessionIfItsHandleIsDead() {
        connectionEvent(KeeperState.AuthFailed);
        assertThat(life.hasEnded()).isFalse();
        handle.state = ZooKeeper.States.AUTH_FAILED;

        connectionEvent(KeeperState.AuthFailed);

        assertThat(life.hasEnded()).isTrue();
    }

    @Test
    void v6_theWatchIsAskedForOnce() {
        life.watch();
        life.watch();
        answer(Code.OK);
        life.watch();

        assertThat(handle.asked).hasSize(1);
    }

    @Test
    void s6_aWatchOnAMissingNodeIsAWatch() {
        life.watch();

        answer(Code.NONODE);
        life.watch();

        assertThat(handle.asked).hasSize(1);
    }

    @Test
    void s6_aWatchThatFailsIsAskedForAgain() {
        life.watch();

        answer(Code.CONNECTIONLOSS);
        assertThat(life.hasEnded()).isFalse();
        life.watch();

        assertThat(handle.asked).hasSize(2);
    }

    @Test
    void s6_aWatchThatFailsWithItsHandleEndsTheSession() {
        life.watch();
        handle.state = ZooKeeper.States.CLOSED;

        answer(Code.SESSIONEXPIRED);

        assertThat(life.hasEnded()).isTrue();
    }

    @Test
    void s6_aWatchThatCouldNotBeAskedForIsAskedForAgain() {
        handle.fails = true;
        assertThatThrownBy(life::watch).isInstanceOf(OutOfMemoryError.class);
        handle.fails = false;

        life.watch();

        assertThat(handle.asked).hasSize(1);
    }

    @Test
    void s6_aWatchThatHasFiredIsAskedForAtOnce() {
        life.watch();

        event(EventType.NodeDataChanged);

        assertThat(handle.asked).hasSize(2);
    }

    @Test
    void v6_aWatchThatWasRemovedIsAskedForWithTheNextUse() {
        life.watch();

        event(EventType.DataWatchRemoved);
        assertThat(handle.asked).hasSize(1);
        life.watch();

        assertThat(handle.asked).hasSize(2);
    }

    @Test
    void v5_onlyAWatchThatWasAskedForIsRemoved() {
        life.stopWatching();
        assertThat(handle.removed).isEmpty();
        life.watch();

        life.stopWatching();

        assertThat(handle.removed).containsExactly(life);
    }
}
