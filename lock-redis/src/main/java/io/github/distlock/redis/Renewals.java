package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Renews holds, {@value RedisBackend#CHUNK} at a time.
 *
 * <p><b>Together.</b> One script {@linkplain ManyLocks extends the holds} of many locks and writers. After half of the
 * time of their tokens, another script keeps these for longer. Holds for which a script has not done its work are
 * renewed apart.
 *
 * <p><b>Apart.</b> All other holds have a script each, and travel in one exchange per server: holds of readers and of
 * permits, holds with a lock delay, and holds on a cluster. The reply to this script says why a hold is not extended:
 * it is over, the key is not a string, the server is a replica, or a right is missing.
 */
final class Renewals {
    private final RedisBackend backend;
    private final ManyLocks many;
    private final LockClock clock;

    Renewals(RedisBackend backend, ManyLocks many) {
        this.backend = backend;
        this.many = many;
        this.clock = backend.clock();
    }

    /** Does what {@link RedisBackend#renewAll} does. */
    void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        for (List<Renewal> chunk : RedisBackend.<Renewal>chunks(due)) {
            if (!deadline.hasPassed()) {
                renew(chunk, deadline);
            }
        }
    }

    private void renew(List<Renewal> due, Deadline deadline) throws InterruptedException {
        List<Renewal> together =
                due.stream().filter(each -> grant(each).mayBeRenewedTogether()).toList();
        if (!many.isFor(together.size())) {
            var unused = renewApart(due, deadline);
            return;
        }
        Set<Renewal> left = new LinkedHashSet<>(due);
        boolean refused = !renewTogether(together, left, deadline);
        if (!left.isEmpty() && !deadline.hasPassed() && renewApart(List.copyOf(left), deadline) && refused) {
            many.noteRefused();
        }
    }

    /** Renews holds, and removes those from a set. Returns false if the server probably always refuses the script. */
    private boolean renewTogether(List<Renewal> due, Set<Renewal> left, Deadline deadline) throws InterruptedException {
        Moment askedAt = clock.now();
        Object[] arguments = due.stream()
                .flatMap(each -> Stream.<Object>of(grant(each).contender.value, RedisContender.millis(each.lease())))
                .toArray();
        ManyLocks.Answer answer =
                many.send(Script.RENEW_MANY, keys(due.get(0)), keys(due, LockKeys::lock), arguments, deadline);
        List<Renewal> withTokens = new ArrayList<>();
        for (int i = 0; i < due.size(); i++) {
            Renewal renewal = due.get(i);
            if (answer.at(i) > 0) {
                left.remove(renewal);
                renewed(renewal, answer.at(i), askedAt);
                if (grant(renewal).keepsToken(renewal.lease(), askedAt.nanoTime())) {
                    withTokens.add(renewal);
                }
            }
        }
        if (!withTokens.isEmpty() && !deadline.hasPassed()) {
            keepTokens(withTokens, left, deadline);
        }
        return !answer.isRefused() || answer.mayPass();
    }

    /** Keeps the tokens of holds that were renewed. Those for which this fails are left, and renewed once more. */
    private void keepTokens(List<Renewal> renewed, Set<Renewal> left, Deadline deadline) throws InterruptedException {
        long now = clock.nanoTime();
        Object[] times = renewed.stream()
                .map(each -> grant(each).contender.tokenKeptMillis(each.lease()))
                .toArray();
        ManyLocks.Answer answer =
                many.send(Script.KEEP_TOKENS, keys(renewed.get(0)), keys(renewed, LockKeys::token), times, deadline);
        for (int i = 0; i < renewed.size(); i++) {
            if (answer.at(i) == 1) {
                grant(renewed.get(i)).noteRenewed(renewed.get(i).lease(), now);
            } else {
                left.add(renewed.get(i));
            }
        }
    }

    private static LockKeys keys(Renewal renewal) {
        return grant(renewal).contender.keys();
    }

    private static List<byte[]> keys(List<Renewal> renewals, Function<LockKeys, byte[]> which) {
        return renewals.stream().map(each -> which.apply(keys(each))).toList();
    }

    /** Renews holds by a script for each. Returns whether the server has answered all of them without an error. */
    private boolean renewApart(List<Renewal> due, Deadline deadline) throws InterruptedException {
        Moment askedAt = clock.now();
        List<ScriptCall> calls = due.stream()
                .map(renewal -> grant(renewal).renewal(renewal.lease(), askedAt.nanoTime()))
                .toList();
        List<Object> replies = backend.callAll(calls, deadline);
        for (int i = 0; i < replies.size(); i++) {
            if (answer(due.get(i), replies.get(i), askedAt) && !calls.get(i).wasSentAlone()) {
                grant(due.get(i)).noteRenewed(due.get(i).lease(), askedAt.nanoTime());
            }
        }
        return replies.stream().noneMatch(Throwable.class::isInstance);
    }

    /** Answers a renewal. Returns whether the server has extended the hold. */
    private static boolean answer(Renewal renewal, Object reply, Moment askedAt) {
        if (reply instanceof Throwable error) {
            renewal.unknown(error);
            return false;
        }
        long status = Replies.number(Replies.list(reply).get(0));
        if (status == 0) {
            renewal.gone();
            return false;
        }
        renewed(renewal, status, askedAt);
        return true;
    }

    private static void renewed(Renewal renewal, long status, Moment askedAt) {
        renewal.renewed(Validity.of(askedAt, renewal.lease()));
        if (status == 2) {
            grant(renewal).contender.signals().wanted();
        }
    }

    private static RedisGrant grant(Renewal renewal) {
        return (RedisGrant) renewal.grant();
    }
}
