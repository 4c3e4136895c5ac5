package io.github.distlock.examples.guide;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.tests.PromiseNames;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Shows how to shard names over several servers. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(60)
class ShardsTest {
    private record Shards(List<LockClient> clients) {
        DistributedLock lock(String name) {
            CRC32 hash = new CRC32();
            hash.update(name.getBytes(StandardCharsets.UTF_8));
            return clients.get((int) (hash.getValue() % clients.size())).lock(name);
        }
    }

    @Test
    void s1_aShardedLockHasOneHolder() throws Exception {
        InMemoryStore first = new InMemoryStore();
        InMemoryStore second = new InMemoryStore();
        try (LockClient one = LockClient.create(first.connect());
                LockClient two = LockClient.create(second.connect());
                LockClient other = LockClient.create(first.connect());
                LockClient another = LockClient.create(second.connect())) {
            Shards shards = new Shards(List.of(one, two));
            Shards others = new Shards(List.of(other, another));

            List<LockHandle> held = new ArrayList<>();
            for (int i = 0; i < 100; i++) {
                held.add(shards.lock("order" + i).acquire());
            }

            for (int i = 0; i < 100; i++) {
                assertEquals(
                        List.of(),
                        others.lock("order" + i).tryAcquire().stream().toList());
            }
            assertFalse(first.size() == 0 || second.size() == 0, "both stores keep locks");
            held.forEach(LockHandle::close);
        }
    }
}
