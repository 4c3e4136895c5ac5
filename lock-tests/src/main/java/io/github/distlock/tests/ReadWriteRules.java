package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockHandle.Release;
import io.github.distlock.LockHandle.State;
import io.github.distlock.LockLostException;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import io.github.distlock.tests.FaultyBackend.Request;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Rules S9, S11 and V10 about readers and writers. Those of one test are in different clients. */
@Uses(LockUse.READER)
abstract class ReadWriteRules extends Rules {

    private DistributedLock readLock(Peer peer) {
        return LockUse.READER.lock(peer.locks, name);
    }

    private DistributedLock writeLock(Peer peer) {
        return LockUse.WRITER.lock(peer.locks, name);
    }

    private LockHandle reader(Peer peer) {
        return acquire(readLock(peer));
    }

    private LockHandle writer(Peer peer) {
        return acquire(writeLock(peer));
    }

    private Task<LockHandle> waitingReader(Peer peer) {
        return startQueued(peer, readLock(peer));
    }

    private Task<LockHandle> waitingWriter(Peer peer) {
        return startQueued(peer, writeLock(peer));
    }

    private LockHandle downgraded(Peer peer, LockHandle writing) {
        try {
            return peer.locks.readWriteLock(name).downgrade(writing);
        } catch (LockException e) {
            throw broken("a read hold from the downgrade", e.toString(), e);
        }
    }

    @Test
    void s9_1_readersOfClientsShareTheLock() {
        List<LockHandle> readers = List.of(reader(peer()), reader(peer()), reader(peer()));

        readers.forEach(reader -> expectHeld(reader, "beside other readers"));
        readers.forEach(LockHandle::close);
        expectFree("after the releases of all readers");
    }

    @Test
    void s9_2_aWriterExcludesReadersAndWriters() throws Exception {
        Peer b = peer();
        LockHandle held = writer(peer());

        for (DistributedLock lock : List.of(readLock(b), writeLock(b))) {
            Optional<LockHandle> tried = lock.tryAcquire();
            Optional<LockHandle> waited = lock.tryAcquire(brief());
            expect(tried.isEmpty() && waited.isEmpty(), "busy for another client while a writer holds it", "granted");
        }

        expectHeld(held, "after another client has asked");
        held.close();
        expectFree("after the release");
    }

    @Test
    void s9_3_aWriterWaitsForTheLastReader() {
        LockHandle first = reader(peer());
        LockHandle last = reader(peer());
        Peer c = peer();
        Task<LockHandle> writer = waitingWriter(c);

        first.close();

        expectWaits(writer, "while one of two readers holds the lock");
        expectHeld(last, "after the release of the other reader");
        expectRelease(last, Release.RELEASED, "after the release of the other reader");
        get(writer, "granted after the last reader's release", soon()).close();
        expectFree("after the writer's release");
    }

    @Test
    void s9_4_holdsOfWritersOverlapNoOthers() {
        int times = 15;
        AtomicInteger readers = new AtomicInteger();
        AtomicInteger writers = new AtomicInteger();
        AtomicInteger overlaps = new AtomicInteger();
        CountDownLatch together = new CountDownLatch(6);
        List<Task<Integer>> workers = new ArrayList<>();

        for (Peer peer : List.of(peer(), peer())) {
            for (DistributedLock lock : List.of(readLock(peer), readLock(peer), writeLock(peer))) {
                boolean writes = workers.size() % 3 == 2;
                AtomicInteger inside = writes ? writers : readers;
                workers.add(start(() -> {
                    together.countDown();
                    together.await();
                    for (int i = 0; i < times; i++) {
                        lock.runLocked(held -> {
                            inside.incrementAndGet();
                            int allowed = writes ? 1 : 0;
                            LockSupport.parkNanos(1_000_000);
                            boolean overlap = writers.get() > allowed || (writes && readers.get() > 0);
                            overlaps.addAndGet(overlap && held.isHeld() ? 1 : 0);
                            inside.decrementAndGet();
                        });
                    }
                    return times;
                }));
            }
        }

        workers.forEach(this::get);
        expect(overlaps.get() == 0, "no holder beside a writer", overlaps.get() + " times");
        expectFree("after the releases");
    }

    @Test
    void s9_5_aDowngradeLeavesNoGapForAWriter() {
        Peer a = peer();
        LockHandle writing = writer(a);
        Task<LockHandle> writer = waitingWriter(peer());

        LockHandle reading = downgraded(a, writing);

        expectState(writing, State.RELEASED, "after its downgrade");
        expectWaits(writer, "while a downgraded writer reads");
        store.letPass(lease.multipliedBy(2));
        expectHeld(reading, "and renewed after a downgrade");
        expectWaits(writer, "while a downgraded writer reads, after two leases");
        expectRelease(reading, Release.RELEASED, "in the end");
        get(writer, "the writer is granted after that", soon()).close();
        expectFree("after the writer's release");
    }

    @Test
    void s9_6_aDeadReaderEndsOnlyItsOwnHold() {
        Peer a = peer();
        LockHandle dead = reader(a);
        LockHandle alive = reader(peer());
        Task<LockHandle> writer = waitingWriter(peer());

        silence(a);
        store.letPass(expiry(a));

        expectState(dead, State.LOST, "after the expiry");
        expectHeld(alive, "although another reader is dead");
        expectWaits(writer, "while a reader holds the lock");
        alive.close();
        get(writer, "granted after the release of the only reader that is alive", soon())
                .close();
        expectFree("after the writer's release");
    }

    @Test
    void s9_7_aStaleReadersRenewalFailsInALaterPhase() {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle stale = reader(a);
        lose(name);
        acquireSoon(writeLock(peer())).close();
        LockHandle later = acquireSoon(readLock(peer()));

        store.letPass(lease.dividedBy(2));

        await("lost by the next renewal", soon(), () -> !stale.isHeld());
        store.letPass(lease);
        expectHeld(later, "after the renewal of a reader of an earlier phase");
        expectRelease(later, Release.RELEASED, "for a hold that was spared");
        expectFree("after the release");
    }

    @Test
    void s9_8_aDowngradeWhoseReplyIsLostHappensOnce() {
        Peer a = peer();
        LockHandle writing = writer(a);
        a.faults.dropReplies(1, Request.DOWNGRADE);

        LockHandle reading = downgraded(a, writing);

        expect(a.faults.dropped() == 1, "a reply is lost", a.faults.dropped());
        long token = reading.fencingToken();
        expect(token == writing.fencingToken(), "token " + writing.fencingToken(), token);
        store.letPass(lease.multipliedBy(2));
        expectHeld(reading, "and renewed after the reply was lost");
        acquireSoon(readLock(peer())).close();
        expectRelease(reading, Release.RELEASED, "after two leases");
        expectFree("after the release");
    }

    @Test
    void s9_9_aDowngradeAtASilentStoreLeavesNothing() {
        Peer a = peer(builder -> builder.requestTimeout(brief()));
        LockHandle writing = writer(a);
        silence(a);

        Task<LockHandle> downgrade = start(() -> a.locks.readWriteLock(name).downgrade(writing));

        failure(downgrade, LockException.class, "of a downgrade while the store is silent");
        expectInTime(downgrade, brief());
        expectState(writing, State.RELEASED, "after a downgrade that failed");
        restore(a);
        expectFree("once the store answers again");
    }

    @Test
    void s9_10_aDowngradeNeverCreatesAHold() {
        Peer a = peer();
        a.faults.hearNoSignals();
        LockHandle writing = writer(a);
        lose(name);

        thrown(
                LockLostException.class,
                "from the downgrade of a deleted hold",
                () -> a.locks.readWriteLock(name).downgrade(writing).ensureHeld());

        expectFree("after the downgrade of a deleted hold");
    }

    @Test
    void s11_1_aWritersTokenIsGreaterThanAllEarlierOnes() {
        Peer a = peer();
        Peer b = peer();
        long greatest = 0;
        for (int i = 0; i < 3; i++) {
            List<LockHandle> readers = List.of(reader(a), reader(b), reader(peer()));
            for (LockHandle reader : readers) {
                greatest = Math.max(greatest, reader.fencingToken());
                reader.close();
            }

            for (Peer peer : List.of(a, b)) {
                LockHandle writer = writer(peer);
                long token = writer.fencingToken();
                expect(token > greatest, "a writer's token greater than " + greatest, token);
                greatest = token;
                writer.close();
            }
        }
    }

    @Test
    void s11_2_readersOfOneClientThatShareAGrantHaveOneToken() {
        Peer a = peer(builder -> builder.localHandoff(64, Duration.ofMinutes(1)));
        LockHandle first = reader(a);

        LockHandle second = reader(a);

        long token = second.fencingToken();
        expect(token == first.fencingToken(), "token " + first.fencingToken(), token);
        first.close();
        expectHeld(second, "after the release of the reader whose grant it shares");
        expectBusy(peer(), "after the release of one of two readers");
        second.close();
        expectFree("after both releases");
    }

    @Test
    void s11_3_aDowngradedHoldKeepsItsToken() {
        Peer a = peer();
        LockHandle writing = writer(a);

        LockHandle reading = downgraded(a, writing);

        long token = reading.fencingToken();
        expect(token == writing.fencingToken(), "token " + writing.fencingToken(), token);
        if (can(Capability.INSPECT)) {
            long stored = peer().locks.inspector().inspect(name).holders().stream()
                    .mapToLong(holder -> holder.fencingToken())
                    .sum();
            expect(stored == token, "token " + token + " in the store", stored);
        }
        reading.close();
        LockHandle next = writer(peer());
        expect(next.fencingToken() > token, "a writer's token greater than " + token, next.fencingToken());
        next.close();
        expectFree("after the writer's release");
    }

    @Test
    void v10_1_aWaitingWriterStopsLaterReaders() {
        LockHandle reading = reader(peer());
        Task<LockHandle> writer = waitingWriter(peer());

        Task<LockHandle> reader = waitingReader(peer());
        expectBusy(readLock(peer()), "while a writer waits");

        expectWaits(reader, "behind a writer that waits");
        reading.close();
        LockHandle writing = get(writer, "the writer is granted the lock", soon());
        expectWaits(reader, "while the writer before it holds the lock");
        writing.close();
        get(reader, "the reader is granted the lock after the writer", soon()).close();
        expectFree("after all releases");
    }

    @Test
    void v10_2_consecutiveReadersAreGrantedTogether() {
        LockHandle held = writer(peer());
        List<Task<LockHandle>> readers = List.of(waitingReader(peer()), waitingReader(peer()), waitingReader(peer()));
        Task<LockHandle> writer = waitingWriter(peer());
        Task<LockHandle> last = waitingReader(peer());

        held.close();

        List<LockHandle> reading = grantedTogether(readers);
        expectWaits(writer, "while readers hold the lock");
        expectWaits(last, "behind a writer that waits");
        reading.forEach(LockHandle::close);
        get(writer, "the writer is granted the lock after the readers", soon()).close();
        get(last, "the last reader is granted the lock after the writer", soon())
                .close();
        expectFree("after all releases");
    }

    /** Returns the holds of all, none of which ends before the last one is granted. */
    private List<LockHandle> grantedTogether(List<Task<LockHandle>> waiters) {
        await(
                "all " + waiters.size() + " readers are granted the lock together",
                soon(),
                () -> waiters.stream().allMatch(Task::isDone));
        List<LockHandle> granted = waiters.stream().map(this::get).toList();
        granted.forEach(held -> expectHeld(held, "beside other readers"));
        return granted;
    }

    @Test
    void v10_3_aDowngradeAdmitsWaitingReaders() {
        Peer a = peer();
        LockHandle writing = writer(a);
        List<Task<LockHandle>> readers = List.of(waitingReader(peer()), waitingReader(peer()));
        Task<LockHandle> writer = waitingWriter(peer());

        LockHandle reading = downgraded(a, writing);

        List<LockHandle> others = grantedTogether(readers);
        expectHeld(reading, "beside the readers that waited for it");
        expectWaits(writer, "while readers hold the lock");
        reading.close();
        others.forEach(LockHandle::close);
        get(writer, "the writer is granted the lock after the readers", soon()).close();
        expectFree("after all releases");
    }

    @Test
    void v10_4_theReadersBehindAWriterThatWithdrawsAreGranted() {
        LockHandle held = reader(peer());
        Peer b = peer();
        CompletableFuture<LockHandle> writer = queued(b, () -> writeLock(b).acquireAsync());
        List<Task<LockHandle>> readers = List.of(waitingReader(peer()), waitingReader(peer()));

        writer.cancel(true);

        List<LockHandle> reading = grantedTogether(readers);
        expectHeld(held, "beside the readers that waited");
        reading.forEach(LockHandle::close);
        held.close();
        expectFree("after all releases");
    }

    @Test
    void v10_5_aSilentWriterDelaysReadersForABoundedTime() {
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        LockHandle held = reader(peer());
        Task<LockHandle> writer = waitingWriter(b);
        Task<LockHandle> reader = waitingReader(peer());

        silence(b);
        // Its last request may still have been on its way.
        store.letPass(expiry(b).plus(store.slack()));

        LockHandle reading =
                get(reader, "the next reader is granted the lock although the writer before it fell silent", soon());
        expectHeld(held, "beside the reader that waited");
        reading.close();
        held.close();
        restore(b);
        get(writer, "the writer is granted the lock once the store answers it again", store.patience())
                .close();
        expectFree("after all releases");
    }

    @Test
    void v10_6_aHundredReadersAreGrantedTogether() throws Exception {
        LockOptions separate = can(Capability.FAIR) ? options().fair() : options();
        Peer b = peer();
        LockHandle held = writer(peer());
        DistributedLock lock = b.locks.readWriteLock(name, separate).readLock();
        List<CompletableFuture<LockHandle>> readers = new ArrayList<>();
        for (int i = 0; i < 100; i++) {
            readers.add(i == 0 ? queued(b, lock::acquireAsync) : lock.acquireAsync());
        }
        int entries = can(Capability.FAIR) ? readers.size() : 1;
        await("all readers wait", () -> b.faults.answeredBusy() >= entries);

        held.close();

        await(
                "all readers are granted the lock together",
                soon(),
                () -> readers.stream().allMatch(CompletableFuture::isDone));
        for (CompletableFuture<LockHandle> reader : readers) {
            get(reader, "a read hold").close();
        }
        expectFree("after all releases");
    }
}
