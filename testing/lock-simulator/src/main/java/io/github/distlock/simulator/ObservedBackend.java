package io.github.distlock.simulator;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/**
 * Notes when an acquire has its queue entry, which grants came and went back, and which requests for a lock have
 * failed.
 */
final class ObservedBackend {
    private ObservedBackend() {}

    /** Hears about the requests of a process. */
    interface Observer {
        void queued(String lock);

        /** Returns how often the process was copied. */
        int copies();

        /**
         * The store has granted a lock.
         *
         * @param sent when the attempt began that has found this
         * @param copies of the process, before the contender was made
         */
        void granted(String lock, long base, long sent, int copies);

        /** The client has read requests for release, and began at a true time. */
        void requestsRead(long begun);

        /** A contender has got a sticky lock. */
        void grantedSticky(String lock, Object contender);

        /** The client has heard that another one wants what a contender has. */
        void wanted(Object contender);

        /** The client gives back what a contender has, or has given it up. */
        void givenBack(Object contender);

        void failed(String lock, long sent);
    }

    static LockBackend of(LockBackend backend, World world, Observer observer) {
        return (LockBackend) Proxy.newProxyInstance(
                LockBackend.class.getClassLoader(),
                new Class<?>[] {LockBackend.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "contend" -> {
                        LockRequest request = (LockRequest) arguments[0];
                        // Before the contender gets its identity.
                        int copies = observer.copies();
                        Object contender = new Object();
                        Signals signals = new ObservedSignals((Signals) arguments[1], contender, observer);
                        yield new Observed(
                                backend.contend(request, signals), contender, request, copies, world, observer);
                    }
                    case "heartbeat" -> {
                        arguments[0] = ((Collection<?>) arguments[0])
                                .stream()
                                        .map(contender -> ((Observed) contender).inner)
                                        .toList();
                        yield call(method, backend, arguments);
                    }
                    case "renewAll" -> {
                        arguments[0] = ((Collection<?>) arguments[0])
                                .stream()
                                        .map(renewal -> new ObservedRenewal((Renewal) renewal))
                                        .toList();
                        yield call(method, backend, arguments);
                    }
                    case "releaseAll", "requestedReleases" -> {
                        Map<Grant, Grant> grants = new LinkedHashMap<>();
                        ((Collection<?>) arguments[0])
                                .forEach(grant -> grants.put(inner((Grant) grant), (Grant) grant));
                        if (method.getName().equals("releaseAll")) {
                            grants.values().forEach(grant -> observer.givenBack(((ObservedGrant) grant).contender));
                        }
                        arguments[0] = List.copyOf(grants.keySet());
                        Map<Grant, Object> found = new HashMap<>();
                        long begun = world.nanoTime();
                        ((Map<?, ?>) requireNonNull(call(method, backend, arguments)))
                                .forEach((grant, what) -> found.put(grants.get((Grant) grant), what));
                        if (method.getName().equals("requestedReleases")) {
                            observer.requestsRead(begun);
                        }
                        yield found;
                    }
                    default -> call(method, backend, arguments);
                });
    }

    private static Grant inner(Grant grant) {
        return ((ObservedGrant) grant).inner;
    }

    private static @Nullable Object call(
            java.lang.reflect.Method method, LockBackend backend, @Nullable Object @Nullable [] arguments)
            throws Throwable {
        try {
            return method.invoke(backend, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    private record ObservedSignals(Signals inner, Object contender, Observer observer) implements Signals {
        @Override
        public void wakeUp() {
            inner.wakeUp();
        }

        @Override
        public void wanted() {
            observer.wanted(contender);
            inner.wanted();
        }

        @Override
        public void suspect() {
            inner.suspect();
        }

        @Override
        public void gone() {
            inner.gone();
        }
    }

    private record ObservedRenewal(Renewal asked) implements Renewal {
        @Override
        public Grant grant() {
            return inner(asked.grant());
        }

        @Override
        public Duration lease() {
            return asked.lease();
        }

        @Override
        public void renewed(Validity validity) {
            asked.renewed(validity);
        }

        @Override
        public void gone() {
            asked.gone();
        }

        @Override
        public void unknown(Throwable cause) {
            asked.unknown(cause);
        }
    }

    private record ObservedGrant(Grant inner, Object contender, Observer observer) implements Grant {
        @Override
        public long fencingBase() {
            return inner.fencingBase();
        }

        @Override
        public Validity validity() {
            return inner.validity();
        }

        @Override
        public Validity latestValidity() {
            return inner.latestValidity();
        }

        @Override
        public boolean hasEnded() {
            return inner.hasEnded();
        }

        @Override
        public boolean hearsOthers() {
            return inner.hearsOthers();
        }

        @Override
        public Object server() {
            return inner.server();
        }

        @Override
        public Release release(Deadline deadline) throws InterruptedException {
            observer.givenBack(contender);
            return inner.release(deadline);
        }

        @Override
        public Release keep(Duration time, Deadline deadline) throws InterruptedException {
            observer.givenBack(contender);
            return inner.keep(time, deadline);
        }

        @Override
        public OptionalLong nextBase(Deadline deadline) throws InterruptedException {
            return inner.nextBase(deadline);
        }

        @Override
        public Optional<Grant> downgrade(Deadline deadline) throws InterruptedException {
            return inner.downgrade(deadline).map(reading -> new ObservedGrant(reading, contender, observer));
        }
    }

    private static final class Observed implements Contender {
        private final Contender inner;
        private final Object contender;
        private final LockRequest request;
        private final int copies;
        private final World world;
        private final Observer observer;
        private boolean queued;

        Observed(Contender inner, Object contender, LockRequest request, int copies, World world, Observer observer) {
            this.inner = inner;
            this.contender = contender;
            this.request = request;
            this.copies = copies;
            this.world = world;
            this.observer = observer;
        }

        @Override
        public Attempt attempt(Deadline deadline) throws InterruptedException {
            long sent = world.nanoTime();
            try {
                Attempt answer = inner.attempt(deadline);
                if (answer instanceof Attempt.Busy && !queued) {
                    queued = true;
                    observer.queued(request.name());
                }
                return answer instanceof Attempt.Granted granted
                        ? Attempt.granted(observed(granted.grant(), sent))
                        : answer;
            } catch (RequestRefusedException e) {
                throw e;
            } catch (RuntimeException | InterruptedException e) {
                observer.failed(request.name(), sent);
                throw e;
            }
        }

        private Grant observed(Grant grant, long sent) {
            observer.granted(request.name(), grant.fencingBase(), sent, copies);
            if (request.isSticky()) {
                observer.grantedSticky(request.name(), contender);
            }
            return new ObservedGrant(grant, contender, observer);
        }

        @Override
        public void withdraw(Deadline deadline) throws InterruptedException {
            observer.givenBack(contender);
            inner.withdraw(deadline);
        }

        @Override
        public Optional<String> blocker() {
            return inner.blocker();
        }

        @Override
        public Object server() {
            return inner.server();
        }

        @Override
        public void forget() {
            observer.givenBack(contender);
            inner.forget();
        }
    }
}
