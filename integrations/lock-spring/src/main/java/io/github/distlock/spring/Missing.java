package io.github.distlock.spring;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.spring.DistributedLocked.Mode;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * What a call must acquire itself, because the holds around it have only some of its names, or none. It has joined
 * these holds. It waits for the other names while it has them, as a call that acquires several names in their order
 * does.
 *
 * @param target what the call locks
 * @param around the holds that it has joined
 * @param names the names that none of them has
 */
record Missing(LockTarget target, List<Hold> around, List<String> names) {

    /**
     * Joins the innermost hold that has all names of a target, or else the innermost ones that have some of them.
     *
     * @throws io.github.distlock.LockLostException if one of them was lost
     * @throws IllegalStateException if one of them is a read lock of what the call wants to write
     */
    static Missing of(Iterable<Hold> innermostFirst, LockTarget target) {
        Hold joined = Hold.join(innermostFirst, target);
        if (joined != null) {
            return new Missing(target, List.of(joined), List.of());
        }
        List<Hold> around = new ArrayList<>();
        List<String> names = new ArrayList<>(target.names());
        if (target.mode() == Mode.EXCLUSIVE) {
            try {
                for (Hold hold : innermostFirst) {
                    List<String> shared = names.stream()
                            .filter(name -> hold.covers(target.with(List.of(name))))
                            .toList();
                    if (!shared.isEmpty() && hold.join()) {
                        around.add(hold);
                        names.removeAll(shared);
                    }
                }
            } catch (RuntimeException e) {
                around.forEach(Hold::leave);
                throw e;
            }
        }
        return new Missing(target, List.copyOf(around), List.copyOf(names));
    }

    boolean isNothing() {
        return names.isEmpty();
    }

    /** Returns the hold of the call if nothing is missing. */
    Hold joined() {
        return around.size() == 1 ? around.get(0) : shared(null);
    }

    DistributedLock lock() {
        return target.with(names).lock();
    }

    /** Returns the hold of the call when it has acquired what was missing. */
    Hold hold(LockHandle acquired) {
        return around.isEmpty() ? new Hold(target, acquired) : shared(acquired);
    }

    private Hold shared(@Nullable LockHandle acquired) {
        return new Hold(target, new SharedHandle(target.names(), acquired, around));
    }

    /** Leaves the holds, because the call does not get what is missing. */
    void giveUp() {
        around.forEach(Hold::leave);
    }
}
