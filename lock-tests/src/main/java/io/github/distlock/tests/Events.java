package io.github.distlock.tests;

import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import io.github.distlock.LossReason;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/** What a client's listener was told, in order. */
final class Events implements LockListener {
    private final List<Entry> entries = new CopyOnWriteArrayList<>();

    /** One call; the detail is the reason of a loss or the outcome of a release, else empty. */
    record Entry(String kind, LockEvent event, String detail) {}

    List<Entry> all() {
        return List.copyOf(entries);
    }

    List<Entry> of(String kind) {
        return entries.stream().filter(entry -> entry.kind.equals(kind)).toList();
    }

    int count(String kind) {
        return of(kind).size();
    }

    List<String> kinds() {
        return entries.stream().map(Entry::kind).toList();
    }

    @Override
    public void waiting(LockEvent event) {
        entries.add(new Entry("waiting", event, ""));
    }

    @Override
    public void acquired(LockEvent event) {
        entries.add(new Entry("acquired", event, ""));
    }

    @Override
    public void passed(LockEvent event) {
        entries.add(new Entry("passed", event, ""));
    }

    @Override
    public void renewed(LockEvent event) {
        entries.add(new Entry("renewed", event, ""));
    }

    @Override
    public void suspect(LockEvent event) {
        entries.add(new Entry("suspect", event, ""));
    }

    @Override
    public void lost(LockEvent event, LossReason reason) {
        entries.add(new Entry("lost", event, reason.name()));
    }

    @Override
    public void released(LockEvent event, LockHandle.Release outcome) {
        entries.add(new Entry("released", event, outcome.name()));
    }

    @Override
    public void leaked(LockEvent event) {
        entries.add(new Entry("leaked", event, ""));
    }
}
