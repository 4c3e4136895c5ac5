package io.github.distlock.cli;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Locks as the verbs show them. Tokens are text in JSON, because some programs round such numbers. */
final class Locks {
    private Locks() {}

    static Map<String, @Nullable Object> json(LockStatus lock) {
        Map<String, @Nullable Object> json = new LinkedHashMap<>();
        json.put("name", lock.lockName());
        json.put("holders", lock.holders().stream().map(Locks::json).toList());
        json.put("waiters", lock.waiters().stream().map(Locks::json).toList());
        json.put("kept", lock.kept().map(Locks::json).orElse(null));
        return json;
    }

    static Map<String, Object> json(LockStatus.Holder holder) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("owner", json(holder.owner()));
        json.put("mode", holder.mode());
        json.put("since", holder.since());
        json.put("token", String.valueOf(holder.fencingToken()));
        json.put("remainingLeaseMillis", holder.remainingLease().toMillis());
        return json;
    }

    private static Map<String, Object> json(LockStatus.Waiter waiter) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("owner", json(waiter.owner()));
        json.put("mode", waiter.mode());
        json.put("since", waiter.since());
        return json;
    }

    private static Map<String, Object> json(LockStatus.Kept kept) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("owner", json(kept.owner()));
        json.put("remainingMillis", kept.remaining().toMillis());
        return json;
    }

    private static Map<String, Object> json(LockOwner owner) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("host", owner.host());
        json.put("process", owner.processId());
        json.put("client", owner.client());
        json.put("thread", owner.thread());
        return json;
    }

    static List<String> lines(LockStatus lock) {
        if (lock.holders().isEmpty() && lock.waiters().isEmpty() && lock.kept().isEmpty()) {
            return List.of("free");
        }
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("STATE", "MODE", "TOKEN", "SINCE", "LEASE", "CLIENT", "PROCESS", "HOST", "THREAD"));
        for (LockStatus.Holder each : lock.holders()) {
            rows.add(row(
                    "held",
                    each.mode(),
                    String.valueOf(each.fencingToken()),
                    time(each.since()),
                    seconds(each.remainingLease()),
                    each.owner()));
        }
        lock.kept().ifPresent(kept -> rows.add(row("kept", "-", "-", "-", seconds(kept.remaining()), kept.owner())));
        for (LockStatus.Waiter each : lock.waiters()) {
            rows.add(row("waits", each.mode(), "-", time(each.since()), "-", each.owner()));
        }
        return Output.table(rows);
    }

    private static List<String> row(
            String state, Object mode, String token, String since, String lease, LockOwner owner) {
        return List.of(
                state,
                mode.toString(),
                token,
                since,
                lease,
                owner.client(),
                String.valueOf(owner.processId()),
                owner.host(),
                owner.thread());
    }

    private static String time(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    static String seconds(Duration time) {
        return time.toMillis() / 1000 + "." + time.toMillis() % 1000 / 100 + "s";
    }
}
