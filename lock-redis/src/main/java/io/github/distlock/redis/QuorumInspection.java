package io.github.distlock.redis;

import io.github.distlock.LockStatus;
import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/**
 * Asks all servers of a quorum who holds a lock. A contender holds it, and a kept lock is kept, if a majority of the
 * servers has its record. A record on fewer servers belongs to a ballot that is not won yet, or to a hold that has
 * ended.
 */
final class QuorumInspection {
    private final String name;
    private final int all;
    private final int majority;
    private final Tally firstMajority;
    private final Tally everybody;
    private final Queue<List<?>> records = new ConcurrentLinkedQueue<>();

    private QuorumInspection(String name, int all) {
        this.name = name;
        this.all = all;
        this.majority = all / 2 + 1;
        this.firstMajority = new Tally(counts -> counts.yes() >= majority || counts.all() == all);
        this.everybody = new Tally(counts -> counts.all() == all);
    }

    static LockStatus status(LockKeys keys, List<QuorumServer> servers, Deadline deadline) throws InterruptedException {
        QuorumInspection inspection = new QuorumInspection(keys.name, servers.size());
        for (QuorumServer server : servers) {
            var unused = server.call(new ScriptCall(Script.INSPECT, keys), deadline)
                    .whenComplete((reply, error) -> inspection.answered(server, reply, error));
        }
        return inspection.status(deadline);
    }

    private void answered(QuorumServer server, @Nullable List<?> reply, @Nullable Throwable error) {
        if (reply == null) {
            firstMajority.countFailure(server, error);
            everybody.countFailure(server, error);
            return;
        }
        if (Replies.number(reply.get(0)) > 0) {
            records.add(reply);
        }
        firstMajority.count(Tally.Answer.YES);
        everybody.count(Tally.Answer.YES);
    }

    private LockStatus status(Deadline deadline) throws InterruptedException {
        var unused = firstMajority.await(deadline);
        List<?> found = held();
        int missing = all - firstMajority.counts().yes();
        if (found == null && records.size() + missing >= majority) {
            // The other servers may have the record, too.
            var unusedToo = everybody.await(deadline);
            found = held();
        }
        if (firstMajority.counts().yes() < majority) {
            throw new IllegalStateException(
                    "no majority of the " + all + " Redis servers tells who holds lock \"" + name + "\": "
                            + firstMajority.words(all),
                    firstMajority.firstReason(Throwable.class));
        }
        return found == null ? LockStatus.free(name) : Inspection.status(name, List.of(found));
    }

    /**
     * Returns the record that a majority has, or null. Of its copies, returns the one whose time left is over
     * when the holder loses the majority.
     */
    private @Nullable List<?> held() {
        List<List<?>> seen = new ArrayList<>(records);
        seen.sort(Comparator.comparingLong((List<?> reply) -> Replies.number(reply.get(2)))
                .reversed());
        for (List<?> reply : seen) {
            String value = value(reply);
            List<List<?>> same =
                    seen.stream().filter(other -> value(other).equals(value)).toList();
            if (same.size() >= majority) {
                return same.get(majority - 1);
            }
        }
        return null;
    }

    private static String value(List<?> reply) {
        return Replies.text(reply.get(1)).split("\t", 2)[0];
    }
}
