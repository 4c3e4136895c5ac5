package io.github.distlock.tests.history;

import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.RequestRefusedException;
import io.github.distlock.spi.Signals;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** Records attempts with an unknown outcome, and when an acquire has its queue entry. */
final class ObservedBackend {
    private ObservedBackend() {}

    /**
     * Wraps a backend.
     *
     * @param acquiring the number of the acquire of each fair lock, of which each process has one at a time
     */
    static LockBackend of(LockBackend backend, HistoryWriter history, Map<String, Long> acquiring) {
        return (LockBackend) Proxy.newProxyInstance(
                LockBackend.class.getClassLoader(),
                new Class<?>[] {LockBackend.class},
                (proxy, method, arguments) -> switch (method.getName()) {
                    case "contend" -> {
                        LockRequest request = (LockRequest) arguments[0];
                        Contender contender = backend.contend(request, (Signals) arguments[1]);
                        yield new Observed(contender, request.name(), acquiring.get(request.name()), history);
                    }
                    case "heartbeat" -> call(backend, method, unwrapped((Collection<?>) arguments[0]), arguments[1]);
                    default -> call(backend, method, arguments);
                });
    }

    private static List<Contender> unwrapped(Collection<?> contenders) {
        return contenders.stream()
                .map(contender -> ((Observed) contender).inner)
                .toList();
    }

    private static @Nullable Object call(LockBackend backend, Method method, @Nullable Object... arguments)
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
        private final @Nullable Long acquiring;
        private final HistoryWriter history;
        private final AtomicBoolean queued = new AtomicBoolean();

        private Observed(Contender inner, String lock, @Nullable Long acquiring, HistoryWriter history) {
            this.inner = inner;
            this.lock = lock;
            this.acquiring = acquiring;
            this.history = history;
        }

        @Override
        public Attempt attempt(Deadline deadline) throws InterruptedException {
            long sent = System.nanoTime();
            try {
                Attempt answer = inner.attempt(deadline);
                if (answer instanceof Attempt.Busy && acquiring != null && queued.compareAndSet(false, true)) {
                    history.write(System.nanoTime(), Event.Kind.QUEUED, acquiring, lock, 0, 0, "");
                }
                return answer;
            } catch (RequestRefusedException e) {
                throw e;
            } catch (RuntimeException e) {
                history.write(System.nanoTime(), Event.Kind.REQUEST_FAILED, 0, lock, 0, sent, e.toString());
                throw e;
            }
        }

        @Override
        public void withdraw(Deadline deadline) throws InterruptedException {
            inner.withdraw(deadline);
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
