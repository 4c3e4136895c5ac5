package io.github.distlock.redis;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant.Release;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.tests.IgnoredSignals;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.servers.FaultProxy;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.parallel.ResourceLock;
import redis.clients.jedis.RedisClient;
import redis.clients.jedis.params.SetParams;

/**
 * Contenders of a quorum without an engine. The three members are databases of one server, each behind a link of its
 * own. So they start and fail at once.
 */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
@ResourceLock("the databases of members")
abstract class QuorumMembersTest {
    static final Duration LEASE = Duration.ofSeconds(60);
    static final Duration LONGEST_LEASE = Duration.ofMinutes(5);
    static final Duration TOKEN_KEPT = Duration.ofHours(1);
    static final Duration PATIENCE = Duration.ofSeconds(10);
    /** Longer than any request takes. */
    static final Duration LONG = Duration.ofSeconds(40);
    /** In which a server that answers does so. */
    static final Duration SHORT = Duration.ofSeconds(2);

    final String name = UUID.randomUUID().toString();
    final String key = "distlock:" + name;
    final String token = "distlock:{" + key + "}:token";
    final List<Member> members =
            IntStream.rangeClosed(1, 3).mapToObj(Member::new).toList();
    final RedisQuorum quorum = RedisQuorum.builder(
                    members.stream().map(Member::uri).toList())
            .longestLease(LONGEST_LEASE)
            .trustRestarts()
            .build();

    final class Member {
        final String database;
        final FaultProxy link = FaultProxy.to(RedisFixture.Shared.SERVER);
        final RedisClient admin;

        Member(int database) {
            this.database = "/" + database;
            this.admin = RedisClient.create(RedisFixture.Shared.SERVER.uri() + this.database);
        }

        String uri() {
            return "redis://" + link.address() + database;
        }

        void vote() {
            admin.set(QuorumFixture.SINCE, "1\t");
        }

        /** It has lost its data, and gives no votes. */
        void loseData() {
            admin.del(QuorumFixture.SINCE);
        }

        void set(String at, String text) {
            admin.set(at, text, SetParams.setParams().ex(3_600));
        }

        void keepForAnother() {
            set(key, "of another contender");
        }

        void useAsAnotherKind() {
            set(token, "5\tread-write");
        }

        void lose() {
            admin.del(key);
        }

        boolean hasVoteFor(QuorumGrant grant) {
            return String.valueOf(admin.get(key)).startsWith(grant.ballot.value + "\t");
        }

        boolean isKept() {
            return String.valueOf(admin.get(key)).contains("\tkept\t");
        }

        void awaitFree() {
            Waiting.await("no vote is left in database " + database, PATIENCE, this::isFree);
        }

        boolean isFree() {
            return !admin.exists(key);
        }

        /** Returns the base of the last vote, or 0 if the request for the first one is still under way. */
        long lastBase() {
            String last = admin.get(token);
            return last == null ? 0 : Long.parseLong(last.strip());
        }
    }

    @BeforeEach
    void start() {
        quorum.start(new RecordingContext("test"));
        members.forEach(Member::vote);
    }

    @AfterEach
    void close() {
        quorum.close();
        for (Member member : members) {
            member.link.close();
            member.vote();
            member.admin.del(key, token);
            member.admin.close();
        }
    }

    Member member(int place) {
        return members.get(place);
    }

    static Deadline in(Duration time) {
        return Deadline.after(time, LockClock.system());
    }

    LockRequest request() {
        return LockRequest.exclusive(name, LEASE, LockOwner.of("host", 7, "client", "thread"));
    }

    QuorumContender contender() {
        return contender(request());
    }

    QuorumContender contender(LockRequest request) {
        return (QuorumContender) quorum.contend(request, new IgnoredSignals());
    }

    @CanIgnoreReturnValue
    static QuorumGrant acquire(QuorumContender contender) throws InterruptedException {
        Attempt answer = contender.attempt(in(LONG));
        assertThat(answer).isInstanceOf(Attempt.Granted.class);
        return (QuorumGrant) ((Attempt.Granted) answer).grant();
    }

    @CanIgnoreReturnValue
    static Duration findBusy(QuorumContender contender) throws InterruptedException {
        Attempt answer = contender.attempt(in(LONG));
        assertThat(answer).isInstanceOf(Attempt.Busy.class);
        return ((Attempt.Busy) answer).retryAfter();
    }

    /** Checks that an answer did not wait for a silent member. */
    static void expectEarly(Deadline deadline) {
        assertThat(deadline.hasPassed()).as("it waited for a silent member").isFalse();
    }

    /** Waits for the answers to all requests for votes. */
    static void awaitAnswers(QuorumGrant held) {
        held.ballot.votes.forEach(vote -> assertThat(vote.answer.join()).isNotNull());
    }

    static void release(QuorumGrant held) throws InterruptedException {
        assertThat(held.release(in(LONG))).isEqualTo(Release.RELEASED);
    }
}
