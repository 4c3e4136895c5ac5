package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.util.concurrent.locks.Lock;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.integration.leader.DefaultCandidate;
import org.springframework.integration.support.leader.LockRegistryLeaderInitiator;

/** Spring Integration uses the locks of a client. */
class DistributedLockRegistryTest {
    private final InMemoryStore store = new InMemoryStore();
    private final LockClient client = LockClient.create(store.connect());
    private final LockClient other = LockClient.create(store.connect());
    private final DistributedLockRegistry registry = new DistributedLockRegistry(client, "registry/");

    @AfterEach
    void close() {
        client.close();
        other.close();
    }

    @Test
    void theLockOfAKeyExcludesOtherClients() {
        Lock lock = registry.obtain(42);
        lock.lock();
        try {
            assertThat(registry.obtain(42).tryLock()).as("reentrant").isTrue();
            registry.obtain(42).unlock();
            assertThat(other.lock("registry/42").tryAcquire()).isEmpty();
        } finally {
            lock.unlock();
        }
        assertThat(store.size()).isZero();
    }

    @Test
    void aLostLockThrowsWhenItIsUnlocked() {
        Lock lock = registry.obtain("key");
        lock.lock();
        store.lose("registry/key");

        assertThatThrownBy(lock::unlock).isInstanceOf(LockLostException.class);
    }

    private static final class Candidate extends DefaultCandidate {
        private volatile boolean isLeader;

        Candidate(String id) {
            super(id, "role");
        }

        @Override
        public void onGranted(org.springframework.integration.leader.Context context) {
            isLeader = true;
        }

        @Override
        public void onRevoked(org.springframework.integration.leader.Context context) {
            isLeader = false;
        }
    }

    @Test
    void oneCandidateIsLeaderAndThenTheOther() {
        Candidate one = new Candidate("one");
        Candidate two = new Candidate("two");
        LockRegistryLeaderInitiator first = new LockRegistryLeaderInitiator(registry, one);
        LockRegistryLeaderInitiator second =
                new LockRegistryLeaderInitiator(new DistributedLockRegistry(other, "registry/"), two);
        try {
            first.start();
            Waiting.until(() -> one.isLeader);
            second.start();
            Waiting.until(
                    () -> !client.inspector().inspect("registry/role").waiters().isEmpty());
            assertThat(Stream.of(one, two).filter(each -> each.isLeader)).containsExactly(one);

            first.stop();

            Waiting.until(() -> two.isLeader);
            // It is told after its lock is released.
            Waiting.until(() -> !one.isLeader);
        } finally {
            second.stop();
            first.stop();
        }
    }
}
