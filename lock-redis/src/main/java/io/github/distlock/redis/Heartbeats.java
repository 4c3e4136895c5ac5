package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Moment;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Keeps the queue entries of waiting contenders. One script keeps up to {@value #MOST_ENTRIES} entries for one name. So
 * each waiter of a client costs less if more of them wait for the same lock.
 */
final class Heartbeats {
    /** Bounds the time for which a script blocks the server: about 0.2 ms. */
    private static final int MOST_ENTRIES = 64;

    private final RedisBackend backend;
    private final Redis redis;
    private final LockClock clock;

    Heartbeats(RedisBackend backend, Redis redis) {
        this.backend = backend;
        this.redis = redis;
        this.clock = backend.clock();
    }

    /** What the contenders of one request have in common. */
    record Group(Script script, String name, long longestIntervalMillis) {}

    /** One request, and the contenders whose entries it keeps. */
    private record Asked(ScriptCall call, List<RedisContender> contenders) {}

    void send(List<RedisContender> due, Deadline deadline) throws InterruptedException {
        for (List<Asked> chunk : RedisBackend.<Asked>chunks(requests(due))) {
            if (!deadline.hasPassed()) {
                sendChunk(chunk, deadline);
            }
        }
    }

    private static List<Asked> requests(List<RedisContender> due) {
        Map<Group, List<RedisContender>> groups = new LinkedHashMap<>();
        List<Asked> requests = new ArrayList<>();
        for (RedisContender contender : due) {
            List<RedisContender> group = groups.computeIfAbsent(contender.heartbeatGroup(), any -> new ArrayList<>());
            group.add(contender);
            if (group.size() == MOST_ENTRIES) {
                requests.add(request(groups.remove(contender.heartbeatGroup()), contender.heartbeatGroup()));
            }
        }
        groups.forEach((group, contenders) -> requests.add(request(contenders, group)));
        return requests;
    }

    private static Asked request(List<RedisContender> contenders, Group group) {
        Object[] arguments = new Object[2 + 2 * contenders.size()];
        arguments[0] = RedisContender.ALIVE_FOR.toMillis();
        arguments[1] = group.longestIntervalMillis;
        for (int i = 0; i < contenders.size(); i++) {
            arguments[2 + 2 * i] = contenders.get(i).value;
            arguments[3 + 2 * i] = contenders.get(i).entry();
        }
        return new Asked(new ScriptCall(group.script, contenders.get(0).keys(), arguments), contenders);
    }

    private void sendChunk(List<Asked> asked, Deadline deadline) throws InterruptedException {
        Moment askedAt = clock.now();
        List<Object> replies;
        try {
            replies = redis.callAll(asked.stream().map(Asked::call).toList(), deadline);
        } catch (RuntimeException e) {
            // Each contender asks now, so that its outage timeout begins.
            asked.forEach(each -> each.contenders.forEach(RedisContender::heardToAsk));
            throw e;
        }
        for (int i = 0; i < replies.size(); i++) {
            answer(asked.get(i).contenders, askedAt, replies.get(i));
            backend.followUp(asked.get(i).call, deadline);
        }
    }

    /** Passes a reply on, which may be an exception. */
    private static void answer(List<RedisContender> contenders, Moment askedAt, Object reply) {
        if (!(reply instanceof List<?> parts)) {
            contenders.forEach(RedisContender::heardToAsk);
            return;
        }
        long marker = Replies.number(parts.get(0));
        int place = 1;
        for (RedisContender contender : contenders) {
            long interval = Replies.number(parts.get(place++));
            if (interval == 0) {
                contender.heardToAsk();
            } else if (place < parts.size() && parts.get(place) instanceof byte[] digest) {
                place++;
                contender.heard(askedAt, marker, interval, Optional.of(Replies.text(digest)));
            } else {
                contender.heard(askedAt, marker, interval, Optional.empty());
            }
        }
    }
}
