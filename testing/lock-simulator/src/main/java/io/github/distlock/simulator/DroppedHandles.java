package io.github.distlock.simulator;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LossReason;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;

/**
 * Compares what a client says about its holds with the handles that were collected (V9). Each hold whose handle was
 * collected while it was open is reported once, within a second, and is then released. Other holds are not reported.
 *
 * <p>A token identifies a hold, except that readers that share a grant share its token. So the holds of one token are
 * counted.
 */
final class DroppedHandles implements LockListener {
    private static final long NOTICED = 1_000_000_000;
    /** After the report. Long enough for a request that is not answered. */
    private static final long RELEASED = NOTICED + 1_250_000_000;

    private static final long SLACK = 50_000_000;

    private final World world;
    private final SimulatedProcess process;
    private final Map<Hold, Deque<Long>> collected = new HashMap<>();
    private final Map<Hold, Deque<Long>> reported = new HashMap<>();
    private final Set<Hold> lost = new HashSet<>();
    private final Consumer<String> violated;
    private boolean isPunctual;

    private record Hold(String lock, long token) {
        @Override
        public String toString() {
            return "the hold of " + lock + " with token " + token;
        }
    }

    /**
     * Begins without a handle.
     *
     * @param isPunctual whether times of the process have bounds
     * @param violated receives what breaks V9
     */
    DroppedHandles(World world, SimulatedProcess process, boolean isPunctual, Consumer<String> violated) {
        this.world = world;
        this.process = process;
        this.violated = violated;
        this.isPunctual = isPunctual;
    }

    /** The handle of a hold was collected, which may have ended before. */
    void collected(String lock, long token) {
        Hold hold = new Hold(lock, token);
        if (!lost.contains(hold)) {
            add(collected, hold, world.nanoTime());
        }
    }

    @Override
    public void leaked(LockEvent event) {
        Hold hold = hold(event);
        Deque<Long> open = collected.getOrDefault(hold, new ArrayDeque<>());
        if (!open.isEmpty()) {
            requireWithin(NOTICED, open.remove(), hold, "is reported as dropped");
            add(reported, hold, world.nanoTime());
        } else if (!lost.contains(hold)) { // A loss may be reported while another thread reports the dropped handle.
            violated.accept(hold + " is reported as dropped, but no handle was collected since the last report");
        }
    }

    @Override
    public void released(LockEvent event, LockHandle.Release outcome) {
        Hold hold = hold(event);
        Deque<Long> open = reported.getOrDefault(hold, new ArrayDeque<>());
        if (!open.isEmpty()) {
            requireWithin(RELEASED, open.remove(), hold, "is released after its report");
        }
    }

    @Override
    public void lost(LockEvent event, LossReason reason) {
        Hold hold = hold(event);
        lost.add(hold);
        collected.remove(hold);
        reported.remove(hold);
    }

    private static Hold hold(LockEvent event) {
        return new Hold(event.lockName(), event.fencingToken());
    }

    private static void add(Map<Hold, Deque<Long>> to, Hold hold, long at) {
        to.computeIfAbsent(hold, any -> new ArrayDeque<>()).add(at);
    }

    private void requireWithin(long bound, long since, Hold hold, String what) {
        long late = world.nanoTime() - since - bound - SLACK;
        if (isPunctual && late > 0 && late > process.stalledSince(since)) {
            violated.accept(hold + " " + what + " " + late + " ns too late");
        }
    }

    /** The client begins to close, or the process has crashed. From now on, reports may come later or not at all. */
    void end() {
        collected.forEach((hold, since) -> since.forEach(at -> requireWithin(NOTICED, at, hold, "is not reported")));
        reported.forEach((hold, since) -> since.forEach(at -> requireWithin(RELEASED, at, hold, "is not released")));
        isPunctual = false;
    }
}
