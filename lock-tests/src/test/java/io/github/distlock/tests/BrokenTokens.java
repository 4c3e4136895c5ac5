package io.github.distlock.tests;

import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Signals;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** Fencing tokens that let the wrong writer pass. */
final class BrokenTokens {
    /** How far a range is ahead of the clock that it began with. */
    private static final long RANGE = Duration.ofHours(1).toMillis();

    private BrokenTokens() {}

    static List<BrokenBackend> all() {
        AtomicLong drawn = new AtomicLong();
        AtomicLong clients = new AtomicLong();
        return List.of(
                new BrokenBackend(
                        "the token is constant",
                        "S3.1 S3.3 S3.4 S3.5 S3.6 S3.7 F1.6 F3.2",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected long fencingBase(Held held) {
                                return 7;
                            }
                        }),
                new BrokenBackend(
                        "tokens are counted anew when the client has gone",
                        "S3.4 S3.5 S3.6",
                        store -> new WrappedBackend(store.connect()) {
                            private final AtomicLong contenders = new AtomicLong();

                            @Override
                            public Contender contend(LockRequest request, Signals signals) {
                                contenders.incrementAndGet();
                                return super.contend(request, signals);
                            }

                            @Override
                            protected long fencingBase(Held held) {
                                return contenders.get();
                            }
                        }),
                new BrokenBackend(
                        "tokens are unique, but in no order",
                        "S3.1 S3.3",
                        store -> new WrappedBackend(store.connect()) {
                            @Override
                            protected long fencingBase(Held held) {
                                return Long.reverse(super.fencingBase(held)) >>> 9;
                            }
                        }),
                new BrokenBackend(
                        "the token is the client's clock",
                        "S3.1 S3.4 S3.5 S3.6",
                        store -> new WrappedBackend(store.connect()) {
                            private final long behind = clients.incrementAndGet() * RANGE;

                            @Override
                            protected long fencingBase(Held held) {
                                return validity(held).from().wallMillis() - behind;
                            }
                        }),
                new BrokenBackend(
                        "the token is drawn before the lock is taken",
                        "S3.7",
                        store -> new WrappedBackend(store.connect()) {
                            private final Map<Contender, Long> tokens = new ConcurrentHashMap<>();

                            @Override
                            public Contender contend(LockRequest request, Signals signals) {
                                Contender place = super.contend(request, signals);
                                tokens.put(place, drawn.incrementAndGet());
                                return place;
                            }

                            @Override
                            protected long fencingBase(Held held) {
                                return tokens.getOrDefault(held.place, 0L);
                            }
                        }),
                new BrokenBackend(
                        "tokens are counted in a range that outruns the clock",
                        "S3.6",
                        store -> new WrappedBackend(store.connect()) {
                            private final Map<Grant, Long> tokens = new ConcurrentHashMap<>();
                            private final Map<String, Long> last = new ConcurrentHashMap<>();

                            @Override
                            protected long fencingBase(Held held) {
                                return tokens.computeIfAbsent(
                                        held.inner,
                                        any -> last.merge(
                                                held.place.request.name(),
                                                clock().wallMillis(),
                                                (before, now) -> Math.max(before + RANGE, now)));
                            }
                        }));
    }
}
