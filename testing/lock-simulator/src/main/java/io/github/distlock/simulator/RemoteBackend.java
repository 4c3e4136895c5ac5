package io.github.distlock.simulator;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestedRelease;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * The client of a {@link MemoryStore}. The server runs the methods of the backend in memory at its own time, and this
 * class dates validities by the client's clock, before each request leaves. Signals arrive on a thread of the client.
 *
 * <p>The contract lets a request of a contender arrive after its withdrawal. The table in memory does not know that, so
 * this class drops such requests on the server's side.
 */
final class RemoteBackend implements LockBackend {
    private static final Duration LONG = Duration.ofDays(1);

    private final InMemoryBackend table;
    private final ServerCalls server;
    private final BooleanSupplier losesSignals;
    private final LockClock clock = LockClock.system();
    private final BlockingQueue<Runnable> arrived = new LinkedBlockingQueue<>();
    private volatile @Nullable Thread receiver;
    private volatile boolean closed;

    RemoteBackend(InMemoryBackend table, ServerCalls server, BooleanSupplier losesSignals) {
        this.table = table;
        this.server = server;
        this.losesSignals = losesSignals;
    }

    @Override
    public void start(BackendContext context) {
        Thread thread = context.newThread("receiver", this::receive);
        thread.start();
        receiver = thread;
    }

    private void receive() {
        try {
            while (!closed) {
                arrived.take().run();
            }
        } catch (InterruptedException e) {
            // The client is closed.
        }
    }

    private <T> T call(Deadline deadline, ServerCalls.Call<T> call) throws InterruptedException {
        if (closed) {
            throw new IllegalStateException("the backend is closed");
        }
        return server.call(deadline, call);
    }

    /** Gives the server as long as it needs. The client gives up by its own deadline. */
    private Deadline never() {
        return Deadline.after(LONG, table.clock());
    }

    @Override
    public Set<Capability> capabilities() {
        return table.capabilities();
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new RemoteContender(request, signals);
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        Moment sentAt = clock.now();
        List<? extends Renewal> renewals = List.copyOf(due);
        List<Boolean> found = call(deadline, () -> {
            Map<Renewal, Boolean> answers = new HashMap<>();
            table.renewAll(
                    renewals.stream()
                            .map(renewal -> new Answer(renewal, answers))
                            .toList(),
                    never());
            return renewals.stream().map(answers::get).toList();
        });
        for (int i = 0; i < renewals.size(); i++) {
            Renewal renewal = renewals.get(i);
            if (found.get(i)) {
                renewal.renewed(Validity.of(sentAt, renewal.lease()));
            } else {
                renewal.gone();
            }
        }
    }

    /** A renewal at the server, and the answer to it. */
    private record Answer(Renewal asked, Map<Renewal, Boolean> answers) implements Renewal {
        @Override
        public Grant grant() {
            return ((RemoteGrant) asked.grant()).inner;
        }

        @Override
        public Duration lease() {
            return asked.lease();
        }

        @Override
        public void renewed(Validity validity) {
            answers.put(asked, true);
        }

        @Override
        public void gone() {
            answers.put(asked, false);
        }

        @Override
        public void unknown(Throwable cause) {
            throw new IllegalStateException(cause);
        }
    }

    @Override
    public void heartbeat(Collection<? extends Contender> waiting, Deadline deadline) throws InterruptedException {
        List<Contender> contenders = waiting.stream()
                .map(contender -> ((RemoteContender) contender).inner)
                .toList();
        var unused = call(deadline, () -> {
            table.heartbeat(contenders, never());
            return true;
        });
    }

    @Override
    public Duration heartbeatInterval() {
        return table.heartbeatInterval();
    }

    @Override
    public Duration expiry(LockRequest request) {
        return table.expiry(request);
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        return call(deadline, () -> table.inspect(name, never()));
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        return call(deadline, () -> table.list(prefix, position, never()));
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        return call(deadline, () -> table.forceRelease(name, fencingBase, never()));
    }

    @Override
    public int requestRelease(String name, LockOwner requester, Deadline deadline) throws InterruptedException {
        return call(deadline, () -> table.requestRelease(name, requester, never()));
    }

    /** Dates requests by the client's clock, as a client of a server does that tells their age. */
    @Override
    public Map<Grant, RequestedRelease> requestedReleases(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        Map<Grant, RequestedRelease> ages = call(deadline, () -> {
            Map<Grant, RequestedRelease> found = new HashMap<>();
            for (Grant grant : grants) {
                table.requestedReleases(List.of(((RemoteGrant) grant).inner), never())
                        .values()
                        .forEach(request -> found.put(grant, aged(request, table.clock())));
            }
            return found;
        });
        Map<Grant, RequestedRelease> dated = new HashMap<>();
        ages.forEach((grant, request) -> dated.put(grant, ((RemoteGrant) grant).dated(aged(request, clock))));
        return dated;
    }

    /** Turns a time on a clock into an age, and back. */
    private static RequestedRelease aged(RequestedRelease request, LockClock clock) {
        return new RequestedRelease(request.id(), request.requester(), clock.nanoTime() - request.cameBy());
    }

    @Override
    public void close() {
        closed = true;
        Thread thread = receiver;
        if (thread != null) {
            thread.interrupt();
        }
    }

    private final class RemoteContender implements Contender {
        private final LockRequest request;
        private final Contender inner;
        /** Whether the server has ended this contender. */
        private boolean ended;

        RemoteContender(LockRequest request, Signals signals) {
            this.request = request;
            inner = table.contend(request, new Pushed(signals));
        }

        @Override
        public Attempt attempt(Deadline deadline) throws InterruptedException {
            Moment sentAt = clock.now();
            int losses = server.losses();
            Attempt answer = call(deadline, () -> ended ? Attempt.busy(Duration.ofSeconds(1)) : inner.attempt(never()));
            return answer instanceof Attempt.Granted granted
                    ? Attempt.granted(new RemoteGrant(this, granted.grant(), validity(sentAt), losses))
                    : answer;
        }

        private Validity validity(Moment sentAt) {
            return Validity.of(sentAt, request.lease());
        }

        @Override
        public void withdraw(Deadline deadline) throws InterruptedException {
            var unused = call(deadline, () -> {
                ended = true;
                inner.withdraw(never());
                return true;
            });
        }
    }

    /** Sends signals to the client. Each may be lost, and arrives on the thread that receives. */
    private final class Pushed implements Signals {
        private final Signals signals;

        Pushed(Signals signals) {
            this.signals = signals;
        }

        private void push(Runnable signal) {
            if (!losesSignals.getAsBoolean()) {
                server.push(() -> arrived.add(signal));
            }
        }

        @Override
        public void wakeUp() {
            push(signals::wakeUp);
        }

        @Override
        public void wanted() {
            push(signals::wanted);
        }

        @Override
        public void suspect() {
            push(signals::suspect);
        }

        @Override
        public void gone() {
            push(signals::gone);
        }
    }

    private final class RemoteGrant implements Grant {
        private final RemoteContender contender;
        private final Grant inner;
        private final Validity validity;
        private final int losses;
        private volatile boolean releaseSent;
        private volatile @Nullable RequestedRelease requested;

        RemoteGrant(RemoteContender contender, Grant inner, Validity validity, int losses) {
            this.contender = contender;
            this.inner = inner;
            this.validity = validity;
            this.losses = losses;
        }

        @Override
        public long fencingBase() {
            return inner.fencingBase();
        }

        @Override
        public Validity validity() {
            return validity;
        }

        @Override
        public boolean hearsOthers() {
            return inner.hearsOthers() && losses == server.losses();
        }

        @Override
        public Release release(Deadline deadline) throws InterruptedException {
            return end(deadline, () -> inner.release(never()));
        }

        @Override
        public Release keep(Duration time, Deadline deadline) throws InterruptedException {
            return end(deadline, () -> inner.keep(time, never()));
        }

        private Release end(Deadline deadline, ServerCalls.Call<Release> end) throws InterruptedException {
            boolean repeated = releaseSent;
            releaseSent = true;
            return call(deadline, () -> {
                contender.ended = true;
                Release found = end.run();
                return repeated ? Release.RELEASED : found;
            });
        }

        /** Returns the request with the time at which it was read first. */
        private RequestedRelease dated(RequestedRelease read) {
            RequestedRelease known = requested;
            if (known == null || !known.id().equals(read.id())) {
                known = read;
                requested = known;
            }
            return known;
        }

        @Override
        public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
            return call(deadline, () -> inner.nextBase(never()));
        }

        @Override
        public Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
            Moment sentAt = clock.now();
            return call(deadline, () -> inner.downgrade(never()))
                    .map(reading -> new RemoteGrant(contender, reading, contender.validity(sentAt), losses));
        }
    }
}
