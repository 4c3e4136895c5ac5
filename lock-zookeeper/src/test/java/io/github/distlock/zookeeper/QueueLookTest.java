package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.Grant;
import io.github.distlock.zookeeper.Session.Created;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Looks at the queue of a lock, each with one request or two. */
class QueueLookTest extends ContendersOfOneLock {
    private Grant held;
    private Session session;
    private Created own;

    @BeforeEach
    void acquire() throws InterruptedException {
        held = waiting(other).acquire();
        session = session(held);
        own = new Created(directory + "/" + nodes().get(0), held.fencingBase(), 0);
        session.seenQueues().forget(directory);
    }

    private QueueLook look() {
        return QueueLook.send(directory(held, directory), session);
    }

    @Test
    void v6_theStatOfTheDirectoryShowsThatAContenderIsAlone() throws Exception {
        QueueLook look = look();
        look.awaitArrival(deadline());
        link.silence();

        assertThat(look.await(own, deadline()).names()).containsExactly(own.name());
    }

    @Test
    void v3_aLookWithoutANodeSeesTheOnlyContender() throws Exception {
        assertThat(look().await(null, deadline()).names()).containsExactly(own.name());

        assertThat(session.seenQueues().count(directory)).hasValue(1);
    }

    @Test
    void v3_aStatThatShowsAnotherContenderLeadsToAList() throws Exception {
        waiting(one).findBusy();

        assertThat(look().await(own, deadline()).names()).hasSize(2);

        assertThat(session.seenQueues().count(directory)).hasValue(2);
    }

    @Test
    void v6_aContenderThatIsAloneAsksForTheStatNextTime() throws Exception {
        session.seenQueues().note(directory, 2);

        assertThat(look().await(own, deadline()).names()).containsExactly(own.name());

        assertThat(session.seenQueues().count(directory)).isEmpty();
    }

    @Test
    void v6_aLookThatFailsIsFollowedByOneForTheStat() throws Exception {
        String missing = base + "/missing";
        session.seenQueues().note(missing, 2);

        QueueLook look = QueueLook.send(directory(held, missing), session);

        assertThatThrownBy(() -> look.await(null, deadline())).isInstanceOf(NoNodeException.class);
        assertThat(session.seenQueues().count(missing)).isEmpty();
    }
}
