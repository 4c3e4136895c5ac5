package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.tests.VirtualThreads;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ten thousand virtual threads use a hundred locks. On a Java without virtual threads, 500 platform threads do. */
class VirtualThreadsTest {
    private static final int LOCKS = 100;
    private static final Duration PATIENCE = Duration.ofSeconds(50);
    /** What a virtual thread says of itself ends with the name of its carrier. */
    private static final Pattern CARRIER = Pattern.compile("^VirtualThread\\[.*@(.+)$");

    private final String space = UUID.randomUUID().toString();
    private final int[] counts = new int[LOCKS];
    private final Set<String> carriers = ConcurrentHashMap.newKeySet();

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void s1_virtualThreadsNeedNoMoreCarriersThanThereAreCores() throws Exception {
        ThreadFactory factory = VirtualThreads.factory();
        int threads = VirtualThreads.exist() ? 10_000 : 500;
        List<FutureTask<Void>> tasks = new ArrayList<>();
        try (LockClient locks = LockClient.create(RedisBackend.connect(RedisFixture.Shared.SERVER.uri()))) {
            for (int i = 0; i < threads; i++) {
                FutureTask<Void> task = new FutureTask<>(counting(locks, i % LOCKS));
                tasks.add(task);
                factory.newThread(task).start();
            }
            for (FutureTask<Void> task : tasks) {
                task.get(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            }
        }

        int[] expected = new int[LOCKS];
        Arrays.fill(expected, threads / LOCKS);
        assertArrayEquals(expected, counts, "counted under the locks");
        assertTrue(carriers.size() <= Runtime.getRuntime().availableProcessors(), carriers.toString());
    }

    private Callable<Void> counting(LockClient locks, int index) {
        return () -> {
            try (LockHandle held = locks.lock(space + "/" + index).acquire()) {
                counts[index]++;
                noteCarrier();
                held.ensureHeld();
            }
            return null;
        };
    }

    private void noteCarrier() {
        Matcher carried = CARRIER.matcher(Thread.currentThread().toString());
        if (carried.matches()) {
            carriers.add(carried.group(1));
        }
    }
}
