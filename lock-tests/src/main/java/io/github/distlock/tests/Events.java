package io.github.distlock.tests;

import io.github.distlock.LockEvent;
import io.github.distlock.LockListener;
import io.github.distlock.LossReason;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** Counts what a client's listener is notified of. */
final class Events implements LockListener {
    private final List<String> kinds = new CopyOnWriteArrayList<>();

    int count(String kind) {
        return Collections.frequency(kinds, kind);
    }

    @Override
    public void waiting(LockEvent event) {
        kinds.add("waiting");
    }

    @Override
    public void acquired(LockEvent event) {
        kinds.add("acquired");
    }

    @Override
    public void wanted(LockEvent event) {
        kinds.add("wanted");
    }

    @Override
    public void lost(LockEvent event, LossReason reason) {
        kinds.add("lost");
    }
}
