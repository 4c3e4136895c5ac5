package io.github.distlock.simulator;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Notes when an acquire has its queue entry, which grants came, and which requests for a lock have failed. */
final class ObservedBackend {
    private ObservedBackend() {}

    /** Hears about the requests of a process. */
    interface Observer {
        void queued(String lock);

        /** Returns how often the process was copied. */
        int copies();

        /** The store has granted a lock to a contender that was made after some copies of the process. */
        void granted(String lock, long base, int copies);

        void failed(String lock, long sent);
    }

    static LockBackend of(LockBackend backend, World world, Observer observer) {
        return (LockBackend) Proxy.newProxyInstance(
                LockBackend.class.getClassLoader(), new Class<?>[] {LockBackend.class}, (proxy, method, arguments) -> {
                    if (method.getName().equals("contend")) {
                        LockRequest request = (LockRequest) arguments[0];
                        // Before the contender gets its identity.
                        int copies = observer.copies();
                        Contender contender = backend.contend(request, (Signals) arguments[1]);
                        return new Observed(contender, request.name(), copies, world, observer);
                    }
                    if (method.getName().equals("heartbeat")) {
                        arguments[0] = ((Collection<?>) arguments[0])
                                .stream()
                                        .map(contender -> ((Observed) contender).inner)
                                        .toList();
                    }
                    return call(method, backend, arguments);
                });
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

    private static final class Observed implements Contender {
        private final Contender inner;
        private final String lock;
        private final int copies;
        private final World world;
        private final Observer observer;
        private boolean queued;

        Observed(Contender inner, String lock, int copies, World world, Observer observer) {
            this.inner = inner;
            this.lock = lock;
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
                    observer.queued(lock);
                }
                if (answer instanceof Attempt.Granted granted) {
                    observer.granted(lock, granted.grant().fencingBase(), copies);
                }
                return answer;
            } catch (RequestRefusedException e) {
                throw e;
            } catch (RuntimeException | InterruptedException e) {
                observer.failed(lock, sent);
                throw e;
            }
        }

        @Override
        public void withdraw(Deadline deadline) throws InterruptedException {
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
            inner.forget();
        }
    }
}
