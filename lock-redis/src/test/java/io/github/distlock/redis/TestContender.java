package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.RecordingContext;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.LongSupplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** A contender without an engine: it sends only what a test asks it to send. It counts its signals. */
final class TestContender implements Signals {
    private static final AtomicInteger THREADS = new AtomicInteger();

    final AtomicInteger wakeUps = new AtomicInteger();
    final AtomicInteger timesWanted = new AtomicInteger();
    private final RedisBackend backend;
    private final LockOwner owner;
    private final LockMode mode;
    private final RedisContender contender;

    private TestContender(RedisBackend backend, LockRequest request) {
        this.backend = backend;
        this.owner = request.owner();
        this.mode = request.mode();
        this.contender = (RedisContender) backend.contend(request, this);
    }

    /** Returns the backend, with a context as an engine would give it. */
    static RedisBackend started(RedisBackend backend) {
        backend.start(new RecordingContext("test"));
        return backend;
    }

    /** A contender that gets a queue entry if the lock is busy. */
    static TestContender waiting(RedisBackend backend, String name, Duration lease) {
        return new TestContender(backend, request(name, lease));
    }

    /** A contender whose hold has a lock delay. */
    static TestContender delayed(RedisBackend backend, String name, Duration lease, Duration delay) {
        return new TestContender(backend, request(name, lease).withLockDelay(delay));
    }

    /** A contender whose client may keep its hold between two holders. */
    static TestContender sticky(RedisBackend backend, String name, Duration lease) {
        return new TestContender(backend, request(name, lease).withSticky(true));
    }

    /** A contender for another mode that gets a queue entry if what it asks for is not free. */
    static TestContender waiting(RedisBackend backend, String name, LockMode mode, Duration lease) {
        return new TestContender(backend, request(name, lease).withMode(mode));
    }

    /** A contender for another mode that asks once. */
    static TestContender trying(RedisBackend backend, String name, LockMode mode, Duration lease) {
        return new TestContender(backend, request(name, lease).withMode(mode).withoutWaiting());
    }

    /** A contender for another mode of a client that knows a fencing base. */
    static TestContender knowing(long base, RedisBackend backend, String name, LockMode mode, Duration lease) {
        return new TestContender(backend, request(name, lease).withMode(mode).withBaseAbove(() -> base));
    }

    /** A contender that asks once. */
    static TestContender trying(RedisBackend backend, String name, Duration lease) {
        return new TestContender(backend, request(name, lease).withoutWaiting());
    }

    /** A contender of a client that knows a fencing base. */
    static TestContender knowing(long base, RedisBackend backend, String name, Duration lease) {
        return knowing(() -> base, backend, name, lease);
    }

    /** A contender of a client that is granted other locks meanwhile. */
    static TestContender knowing(LongSupplier greatestBase, RedisBackend backend, String name, Duration lease) {
        return new TestContender(backend, request(name, lease).withBaseAbove(greatestBase));
    }

    private static LockRequest request(String name, Duration lease) {
        return LockRequest.exclusive(
                name, lease, LockOwner.of("host", 7, "client", "thread" + THREADS.incrementAndGet()));
    }

    static Deadline deadline() {
        return Deadline.after(Duration.ofSeconds(10), LockClock.system());
    }

    String value() {
        return contender.value;
    }

    /** Returns what the queue has of it once it waits. */
    String entry() {
        return new String(contender.entry(), UTF_8);
    }

    LockOwner owner() {
        return owner;
    }

    LockMode mode() {
        return mode;
    }

    /** Returns the record of this contender's hold, if no contender waits. */
    String record(long base) {
        return record(mode, base);
    }

    /** Returns the record that the contender would have with another mode. */
    String record(LockMode as, long base) {
        return WireFormat.record(as, value(), base, contender.owner);
    }

    /** Renews a hold as if half an hour had passed since its grant. */
    void renewLater(Grant held, Duration lease) throws InterruptedException {
        renewAfter(Duration.ofMinutes(31), held, lease);
    }

    /** Renews a hold as if some time had passed since its grant. */
    void renewAfter(Duration time, Grant held, Duration lease) throws InterruptedException {
        assertInstanceOf(Validity.class, renew(asIfGrantedBefore(time, held, lease), lease));
    }

    /** Returns the same hold as if some time had passed since its grant. */
    Grant asIfGrantedBefore(Duration time, Grant held, Duration lease) {
        Moment grantedAt = held.validity().from();
        Moment earlier = new Moment(grantedAt.nanoTime() - time.toNanos(), grantedAt.wallMillis() - time.toMillis());
        return new RedisGrant(contender, mode, held.fencingBase(), Validity.of(earlier, lease));
    }

    /** Sends a script that names the lock key alone, with the value of this contender as its first argument. */
    List<?> callAlone(Script script, Object... arguments) throws InterruptedException {
        Object[] all = Stream.concat(Stream.of(value()), Stream.of(arguments)).toArray();
        return backend.call(
                new ScriptCall(script, contender.keys().name, contender.keys().lockAlone(), all), deadline());
    }

    Attempt attempt() throws InterruptedException {
        return contender.attempt(deadline());
    }

    @CanIgnoreReturnValue
    Grant acquire() throws InterruptedException {
        return assertInstanceOf(Attempt.Granted.class, attempt()).grant();
    }

    /** Asks once for a lock that has no queue. Returns the reply: the base of the grant, or nothing. */
    List<?> acquireFree(Duration lease) throws InterruptedException {
        ScriptCall call = new ScriptCall(
                Script.ACQUIRE_FREE,
                contender.keys().name,
                contender.keys().lockAndToken(),
                value(),
                contender.owner,
                RedisContender.millis(lease),
                contender.tokenKeptMillis(lease));
        return backend.call(call, deadline());
    }

    /** Asks, expects that the lock is busy, and returns when to ask again. */
    @CanIgnoreReturnValue
    Duration findBusy() throws InterruptedException {
        return assertInstanceOf(Attempt.Busy.class, attempt()).retryAfter();
    }

    void heartbeat() throws InterruptedException {
        heartbeat(backend, List.of(this));
    }

    /** Sends the heartbeats of contenders together. */
    static void heartbeat(RedisBackend backend, List<TestContender> all) throws InterruptedException {
        backend.heartbeat(all.stream().map(each -> each.contender).toList(), deadline());
    }

    /** The answer to a heartbeat that was sent long ago. */
    void heardLate(long marker) {
        contender.heard(new Moment(0, 0), marker, 1_000, Optional.empty());
    }

    /** The answer to a heartbeat that was sent some time ago. */
    void heardAfter(Duration time, long marker) {
        contender.heard(new Moment(LockClock.system().nanoTime() - time.toNanos(), 0), marker, 1_000, Optional.empty());
    }

    /** A message about a handoff to this contender. */
    void hearsOfHandoff(long base) {
        contender.announced(base);
    }

    /** Notes that nobody needs the contender any more. */
    void forget() {
        contender.forget();
    }

    void withdraw() throws InterruptedException {
        contender.withdraw(deadline());
        contender.forget();
    }

    /** Renews a hold, and returns what was answered: a {@link Validity}, a {@link Throwable}, or {@code "gone"}. */
    Object renew(Grant held, Duration lease) throws InterruptedException {
        return renewAll(backend, List.of(held), lease).get(0);
    }

    /** Renews holds together, and returns what was answered to each, as {@link #renew} does. */
    static List<Object> renewAll(RedisBackend backend, List<Grant> held, Duration lease) throws InterruptedException {
        return renewAll(backend, held, Collections.nCopies(held.size(), lease));
    }

    /** Renews holds together, each for its own lease. */
    static List<Object> renewAll(RedisBackend backend, List<Grant> held, List<Duration> leases)
            throws InterruptedException {
        List<AnsweredRenewal> renewals = IntStream.range(0, held.size())
                .mapToObj(i -> new AnsweredRenewal(held.get(i), leases.get(i), new AtomicReference<>()))
                .toList();
        backend.renewAll(renewals, deadline());
        return renewals.stream().map(renewal -> renewal.answer().get()).toList();
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
    public void suspect() {}

    @Override
    public void gone() {}

    record AnsweredRenewal(Grant grant, Duration lease, AtomicReference<Object> answer) implements Renewal {
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
