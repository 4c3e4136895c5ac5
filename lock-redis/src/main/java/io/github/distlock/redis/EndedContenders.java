package io.github.distlock.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The last contenders whose holds or queue entries have ended. Redis replicates asynchronously. So a server that takes
 * the place of another one may still have them, and would keep a lock busy until the end of a lease. Their client
 * withdraws them there once more.
 *
 * <p>This is safe at any time, because nobody uses the value of an ended contender again. What ended earlier
 * than {@value #MOST} others is not withdrawn.
 *
 * <p>A contender is noted when a server has answered the request that ends it. Before that, its own request is sent to
 * the new server. If it were withdrawn there meanwhile, that request would find nothing, and report a loss.
 *
 * <p>Thread-safe: each note goes into a place of its own, in turn.
 */
final class EndedContenders {
    private static final int MOST = 1_024;

    private final AtomicReferenceArray<@Nullable Ended> places = new AtomicReferenceArray<>(MOST);
    private final AtomicInteger notes = new AtomicInteger();

    private record Ended(LockKeys keys, Supplier<ScriptCall> withdrawal) {}

    /**
     * Notes a contender.
     *
     * @param withdrawal makes a request that withdraws it; does not refer to it, because a dropped hold must be noticed
     */
    void note(LockKeys keys, Supplier<ScriptCall> withdrawal) {
        places.set(Math.floorMod(notes.getAndIncrement(), MOST), new Ended(keys, withdrawal));
    }

    /** Returns the requests that withdraw the ended contenders of some locks. */
    List<ScriptCall> withdrawals(Predicate<LockKeys> of) {
        List<ScriptCall> withdrawals = new ArrayList<>();
        for (int i = 0; i < MOST; i++) {
            Ended ended = places.get(i);
            if (ended != null && of.test(ended.keys)) {
                withdrawals.add(ended.withdrawal.get());
            }
        }
        return withdrawals;
    }
}
