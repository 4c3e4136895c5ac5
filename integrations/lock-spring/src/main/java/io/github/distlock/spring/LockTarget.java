package io.github.distlock.spring;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockOptions;
import io.github.distlock.spring.DistributedLocked.Mode;
import java.util.Collections;
import java.util.List;

/** What one call locks. */
record LockTarget(LockClient client, Mode mode, LockOptions options, List<String> names) {

    LockTarget with(List<String> others) {
        return new LockTarget(client, mode, options, others);
    }

    DistributedLock lock() {
        return switch (mode) {
            case EXCLUSIVE -> client.allOf(names, options);
            case READ -> client.readWriteLock(names.get(0), options).readLock();
            case WRITE -> client.readWriteLock(names.get(0), options).writeLock();
        };
    }

    String name() {
        return String.join(", ", names);
    }

    /** Returns whether the holder of this target may do what the other one protects. */
    boolean covers(LockTarget inner) {
        return client == inner.client
                && names.containsAll(inner.names)
                && (mode == inner.mode || (mode == Mode.WRITE && inner.mode == Mode.READ));
    }

    /** Returns whether the other target is a write lock, which a holder of this read lock would wait for in vain. */
    boolean isReadBy(LockTarget inner) {
        return client == inner.client
                && mode == Mode.READ
                && inner.mode == Mode.WRITE
                && !Collections.disjoint(names, inner.names);
    }
}
