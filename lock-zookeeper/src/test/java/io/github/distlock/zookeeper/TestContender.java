package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

/** A contender without an engine. It counts its signals. */
final class TestContender implements Signals {
    static final Duration PATIENCE = Waiting.atMost(Duration.ofSeconds(20));

    final AtomicInteger wakeUps = new AtomicInteger();
    final AtomicInteger timesSuspect = new AtomicInteger();
    final AtomicInteger timesGone = new AtomicInteger();
    final AtomicInteger timesWanted = new AtomicInteger();
    private final LockBackend backend;
    final Contender contender;

    TestContender(LockBackend backend, LockRequest request) {
        this.backend = backend;
        this.contender = backend.contend(request, this);
    }

    static Deadline deadline() {
        return Deadline.after(PATIENCE, LockClock.system());
    }

    static LockRequest request() {
        return LockRequest.exclusive("lock", ZooKeeperFactory.SESSION, LockOwner.of("host", 7, "client", "thread"));
    }

    /** Makes a waiter for the lock named "lock". */
    static TestContender waiting(LockBackend backend) {
        return new TestContender(backend, request());
    }

    /** Makes a waiter for the lock named "lock" in another mode. */
    static TestContender contending(LockBackend backend, LockMode mode) {
        return new TestContender(backend, request().withMode(mode));
    }

    /** Makes a busy waiter in another mode, as {@link #waitingBusy} does. */
    @CanIgnoreReturnValue
    static TestContender busyOf(LockBackend backend, LockMode mode) throws InterruptedException {
        return busy(contending(backend, mode));
    }

    /** Makes a busy waiter for the lock named "lock". The client knows that the server has confirmed its watches. */
    @CanIgnoreReturnValue
    static TestContender waitingBusy(LockBackend backend) throws InterruptedException {
        return busy(waiting(backend));
    }

    private static TestContender busy(TestContender waiter) throws InterruptedException {
        for (int i = 0; i < 3; i++) {
            waiter.findBusy();
            // It reads nodes. These answers come on the event thread, behind those to the requests for watches.
            var unused = waiter.backend.inspect(request().name(), deadline());
        }
        return waiter;
    }

    @CanIgnoreReturnValue
    Attempt attempt() throws InterruptedException {
        return contender.attempt(deadline());
    }

    @CanIgnoreReturnValue
    Grant acquire() throws InterruptedException {
        Attempt answer = attempt();
        assertThat(answer).isInstanceOf(Attempt.Granted.class);
        return ((Attempt.Granted) answer).grant();
    }

    void findBusy() throws InterruptedException {
        assertThat(attempt()).isInstanceOf(Attempt.Busy.class);
    }

    void withdraw() throws InterruptedException {
        contender.withdraw(deadline());
    }

    /** Renews a hold. Returns a {@link Validity}, a {@link Throwable}, or {@code "gone"}. */
    Object renew(Grant held) throws InterruptedException {
        return renewAll(backend, held).get(0);
    }

    /** Renews holds together. Returns an answer for each, as {@link #renew} does. */
    @CanIgnoreReturnValue
    static List<Object> renewAll(LockBackend backend, Grant... held) throws InterruptedException {
        List<AnsweredRenewal> renewals = Stream.of(held)
                .map(grant -> new AnsweredRenewal(grant, ZooKeeperFactory.SESSION, new AtomicReference<>()))
                .toList();
        backend.renewAll(renewals, deadline());
        return renewals.stream().map(renewal -> renewal.answer.get()).toList();
    }

    @Override
    public void wakeUp() {
        wakeUps.incrementAndGet();
    }

    @Override
    public void wanted() {
        timesWanted.incrementAndGet();
    }

    @Override
    public void suspect() {
        timesSuspect.incrementAndGet();
    }

    @Override
    public void gone() {
        timesGone.incrementAndGet();
    }

    private record AnsweredRenewal(Grant grant, Duration lease, AtomicReference<Object> answer) implements Renewal {
        @Override
        public void renewed(Validity validity) {
            answer.set(validity);
        }

        @Override
        public void gone() {
            answer.set("gone");
        }

        @Override
        public void unknown(Throwable cause) {
            answer.set(cause);
        }
    }
}
