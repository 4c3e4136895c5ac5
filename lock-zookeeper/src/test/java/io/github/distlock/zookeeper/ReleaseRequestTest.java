package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.busyOf;
import static io.github.distlock.zookeeper.TestContender.contending;
import static io.github.distlock.zookeeper.TestContender.deadline;
import static io.github.distlock.zookeeper.TestContender.waiting;
import static io.github.distlock.zookeeper.TestContender.waitingBusy;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.errorprone.annotations.CanIgnoreReturnValue;
import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.tests.servers.FaultProxy;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.ZooDefs;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** V12: what the data of a directory say of a request for release, and for which holds it is. */
class ReleaseRequestTest extends ContendersOfOneLock {
    private static final LockMode READ = LockMode.READ;
    private static final LockMode WRITE = LockMode.WRITE;
    private static final LockOwner REQUESTER = LockOwner.of("far away", 8, "other client", "main");

    @CanIgnoreReturnValue
    private int ask() throws InterruptedException {
        return other.requestRelease("lock", REQUESTER, deadline());
    }

    /** Returns the last request for a hold of a backend, as its client reads it. */
    private static Optional<RequestedRelease> heard(LockBackend by, Grant held) throws InterruptedException {
        return Optional.ofNullable(
                by.requestedReleases(List.of(held), deadline()).get(held));
    }

    private static Grant acquireWhenWoken(TestContender waiter) throws InterruptedException {
        while (true) {
            int before = waiter.wakeUps.get();
            if (waiter.attempt() instanceof Attempt.Granted granted) {
                return granted.grant();
            }
            await("the waiter is woken", () -> waiter.wakeUps.get() > before);
        }
    }

    private String data() throws Exception {
        return new String(SharedZooKeeper.operator().getData(directory, false, null), StandardCharsets.UTF_8);
    }

    @Test
    void v12_theDirectoryHasTheRequestAndNoNodeIsLeft() throws Exception {
        Grant held = waiting(one).acquire();
        long before = System.nanoTime();

        assertThat(ask()).isOne();

        assertThat(data())
                .matches("host=far away\nprocess=8\nclient=other client\nthread=main\ntimeout=0\nbase="
                        + held.fencingBase() + "\nid=[-0-9a-f]{36}\n");
        RequestedRelease request = heard(one, held).orElseThrow();
        assertThat(request.requester()).isEqualTo(REQUESTER);
        // The leader's clock counts whole milliseconds.
        assertThat(request.cameBy() - before).isGreaterThan(-TimeUnit.MILLISECONDS.toNanos(2));
        assertThat(heard(one, held)).hasValue(request);
        assertThat(SharedZooKeeper.children(directory)).hasSize(1);
        release(held);
    }

    @Test
    void v12_anotherRequestHasAnotherId() throws Exception {
        Grant held = waiting(one).acquire();
        ask();
        RequestedRelease first = heard(one, held).orElseThrow();

        ask();

        RequestedRelease second = heard(one, held).orElseThrow();
        assertThat(second.id()).isNotEqualTo(first.id());
        assertThat(second.cameBy() - first.cameBy()).isGreaterThan(-TimeUnit.MILLISECONDS.toNanos(2));
    }

    @Test
    void v12_aRequestIsNotForThoseThatWaited() throws Exception {
        Grant held = waiting(one).acquire();
        TestContender waiter = waitingBusy(other);
        ask();
        release(held);

        Grant next = acquireWhenWoken(waiter);

        assertThat(heard(other, next)).isEmpty();
        assertThat(ask()).isOne();
        assertThat(heard(other, next)).isPresent();
    }

    @Test
    void v12_aRequestIsForAllReadersBeforeAWriter() throws Exception {
        Grant first = contending(one, READ).acquire();
        Grant second = contending(other, READ).acquire();
        busyOf(one, WRITE);

        assertThat(ask()).isEqualTo(2);

        assertThat(heard(one, first)).isPresent();
        assertThat(heard(other, second)).isPresent();
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void v12_aRequestIsForAWriterThatBecomesAReader(boolean before) throws Exception {
        Grant writing = contending(one, WRITE).acquire();
        TestContender waiter = busyOf(other, WRITE);
        if (before) {
            ask();
        }
        Optional<RequestedRelease> known = heard(one, writing);
        Grant reading = writing.downgrade(deadline()).orElseThrow();
        if (!before) {
            ask();
        }

        Optional<RequestedRelease> request = heard(one, reading);
        assertThat(request).isPresent();
        assertThat(!before || request.equals(known))
                .as("it came before the read hold began")
                .isTrue();
        release(reading);
        assertThat(heard(other, acquireWhenWoken(waiter))).isEmpty();
    }

    @Test
    void v12_aRequestIsForAHoldThatGetsAnotherBase() throws Exception {
        Grant held = waiting(one).acquire();
        ask();

        assertThat(held.nextBase(deadline())).isPresent();

        assertThat(heard(one, held)).isPresent();
    }

    @Test
    void v12_aLockWithoutAHolderOfThisLibraryHasNoRequest() throws Exception {
        assertThat(ask()).isZero();
        assertThat(SharedZooKeeper.exists(directory)).isFalse();

        SharedZooKeeper.createDirectory(base, directory);
        var unused = SharedZooKeeper.operator()
                .create(
                        directory + "/_c_other-lock-",
                        "192.168.1.5".getBytes(StandardCharsets.UTF_8),
                        ZooDefs.Ids.OPEN_ACL_UNSAFE,
                        CreateMode.PERSISTENT_SEQUENTIAL);

        assertThat(ask()).isZero();
        assertThat(data()).isEmpty();
    }

    @Test
    void v12_dataOfOtherProgramsStay() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);
        var unused = SharedZooKeeper.operator().setData(directory, "theirs".getBytes(StandardCharsets.UTF_8), -1);
        Grant held = waiting(one).acquire();

        assertThatThrownBy(this::ask)
                .isInstanceOf(RequestRefusedException.class)
                .hasMessageContaining(directory)
                .hasMessageContaining("data of another program");

        assertThat(data()).isEqualTo("theirs");
        assertThat(heard(one, held)).isEmpty();
    }

    /** A request that stores the data. The proxy keeps it until it may go on. */
    private record Write(CountDownLatch arrived, CountDownLatch goesOn) {
        void awaitArrival() {
            await("it is on its way", () -> arrived.getCount() == 0);
        }

        boolean keep() {
            arrived.countDown();
            await("it may go on", () -> goesOn.getCount() == 0);
            return true;
        }

        void goOn() {
            goesOn.countDown();
        }
    }

    private Write keepNextWrite() {
        Write write = new Write(new CountDownLatch(1), new CountDownLatch(1));
        link.delayNextRequest(
                request -> FaultProxy.containing("client=other client").test(request) && write.keep(), Duration.ZERO);
        return write;
    }

    /** Runs something before the next request that names a node goes on. */
    private void beforeNextRequestFor(String node, Callable<?> work) {
        link.delayNextRequest(
                request -> {
                    if (!FaultProxy.containing(node).test(request)) {
                        return false;
                    }
                    try {
                        var unused = work.call();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                    return true;
                },
                Duration.ZERO);
    }

    private FutureTask<Integer> startAsking() {
        FutureTask<Integer> asking = new FutureTask<>(this::ask);
        new Thread(asking).start();
        return asking;
    }

    @Test
    void v12_aRequestOvertakenByAnotherOneIsForTheHoldersOfThatTime() throws Exception {
        Grant held = waiting(one).acquire();
        Write first = keepNextWrite();
        Write second = keepNextWrite();
        FutureTask<Integer> slow = startAsking();
        first.awaitArrival();
        release(held);
        Grant next = waiting(one).acquire();
        assertThat(one.requestRelease("lock", REQUESTER, deadline())).isOne();

        first.goOn();
        second.awaitArrival();

        assertThat(heard(one, next)).as("the slow one has replaced nothing").isPresent();
        second.goOn();
        assertThat(slow.get()).isOne();
        assertThat(heard(one, next)).isPresent();
    }

    @Test
    void v12_aHoldThatBeginsWhileARequestIsOnItsWayHearsOfIt() throws Exception {
        Grant held = waiting(one).acquire();
        Write write = keepNextWrite();
        FutureTask<Integer> asking = startAsking();
        write.awaitArrival();

        release(held);
        Grant next = waiting(one).acquire();
        write.goOn();

        assertThat(asking.get()).isOne();
        assertThat(heard(one, next)).isPresent();
    }

    @Test
    void v12_aRequestThatFindsNoHolderOfItsListingLooksAgain() throws Exception {
        Grant held = waiting(one).acquire();
        AtomicReference<Grant> next = new AtomicReference<>();
        beforeNextRequestFor(nodes().get(0), () -> {
            release(held);
            next.set(waiting(one).acquire());
            return null;
        });

        assertThat(ask()).isOne();

        assertThat(heard(one, next.get())).isPresent();
    }

    @Test
    void v12_anEmptyDirectoryHasNoRequest() throws Exception {
        SharedZooKeeper.createDirectory(base, directory);

        assertThat(ask()).isZero();

        assertThat(data()).isEmpty();
    }

    @Test
    void v6_aRequestReadsAHolderOnce() throws Exception {
        waiting(one).acquire();
        String node = nodes().get(0);
        AtomicInteger reads = new AtomicInteger();
        link.delayNextRequest(
                request -> {
                    if (FaultProxy.containing(node).test(request)) {
                        reads.incrementAndGet();
                    }
                    return false;
                },
                Duration.ZERO);

        ask();

        assertThat(reads).hasValue(1);
    }

    @Test
    void v12_aRequestIsStoredOnceIfTheWriterBecomesAReaderMeanwhile() throws Exception {
        Grant writing = contending(one, WRITE).acquire();
        Write write = keepNextWrite();
        FutureTask<Integer> asking = startAsking();
        write.awaitArrival();

        Grant reading = writing.downgrade(deadline()).orElseThrow();
        write.goOn();

        assertThat(asking.get()).isOne();
        assertThat(heard(one, reading)).isPresent();
        assertThat(SharedZooKeeper.operator().exists(directory, false).getVersion())
                .isOne();
    }

    /** The first reader reads the request as it was stored before the second one was found. */
    @Test
    void v12_aRequestThatIsStoredForAnotherReaderIsTheSameForTheFirst() throws Exception {
        Grant first = contending(one, READ).acquire();
        Write write = keepNextWrite();
        Write again = keepNextWrite();
        FutureTask<Integer> asking = startAsking();
        write.awaitArrival();
        Grant second = contending(one, READ).acquire();
        write.goOn();
        again.awaitArrival();
        RequestedRelease before = heard(one, first).orElseThrow();
        again.goOn();

        assertThat(asking.get()).isEqualTo(2);

        assertThat(heard(one, first)).hasValue(before);
        assertThat(heard(one, second).orElseThrow().id()).isEqualTo(before.id());
    }

    /** Once the server is asked for its time, it answers nothing. */
    @Test
    void v12_theAgesOfAllRequestsAreAskedForTogether() throws Exception {
        List<Grant> held = List.of(holdOf("first"), holdOf("second"));
        for (String name : List.of("first", "second")) {
            assertThat(one.requestRelease(name, REQUESTER, deadline())).isOne();
        }
        Set<String> asked = ConcurrentHashMap.newKeySet();
        link.delayNextRequest(
                request -> {
                    List.of("first", "second").forEach(name -> {
                        if (FaultProxy.containing(name + "/_c_time").test(request)) {
                            link.silenceReplies();
                            asked.add(name);
                        }
                    });
                    return false;
                },
                Duration.ZERO);

        new Thread(new FutureTask<>(() -> other.requestedReleases(held, deadline()))).start();

        await("both are asked for", () -> asked.size() == 2);
    }

    private Grant holdOf(String name) throws InterruptedException {
        LockRequest request = LockRequest.exclusive(name, ZooKeeperFactory.SESSION, REQUESTER);
        return new TestContender(other, request).acquire();
    }

    @Test
    void v12_aHoldOfAnEarlierSessionHasNoRequest() throws Exception {
        Grant held = waiting(other).acquire();
        ask();
        assertThat(heard(other, held)).isPresent();

        other.disconnect();

        assertThat(heard(other, held)).isEmpty();
    }
}
