package io.github.distlock.spring;

import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.springframework.core.ReactiveAdapter;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * Each subscription acquires the lock, and holds it until the publisher of the method completes, fails or is canceled.
 * The hold travels in the Reactor context. A transaction around the subscription keeps it, too. Spring's proxies turn
 * {@code suspend} functions into publishers and back.
 */
final class ReactiveExecution implements Execution {
    /** Turns the method's result into a publisher and back, or is null if it is one anyway. */
    private final @Nullable ReactiveAdapter adapter;

    private final boolean isSingle;
    private final ReactiveTransactions transactions;

    ReactiveExecution(@Nullable ReactiveAdapter adapter, boolean isSingle, ReactiveTransactions transactions) {
        this.adapter = adapter;
        this.isSingle = isSingle;
        this.transactions = transactions;
    }

    @Override
    public Object execute(GuardedCall call) {
        Publisher<Object> locked = isSingle
                ? transactions
                        .around()
                        .flatMap(transaction -> Mono.deferContextual(context -> Mono.usingWhen(
                                        Mono.just(ask(call, context, transaction)),
                                        // Not Mono.from, which cancels a publisher at its value.
                                        pending -> Mono.fromDirect(work(call, pending)),
                                        ReactiveExecution::leave,
                                        ReactiveExecution::leaveAfter,
                                        ReactiveExecution::leave))
                                .onErrorMap(ReactiveExecution::loss))
                : transactions
                        .around()
                        .flatMapMany(transaction -> Flux.deferContextual(context -> Flux.usingWhen(
                                        Mono.just(ask(call, context, transaction)),
                                        pending -> work(call, pending),
                                        ReactiveExecution::leave,
                                        ReactiveExecution::leaveAfter,
                                        ReactiveExecution::leave))
                                .onErrorMap(ReactiveExecution::loss));
        return adapter == null ? locked : adapter.fromPublisher(locked);
    }

    /** The publisher may be subscribed to inside of a call on this thread. */
    private static PendingHold ask(GuardedCall call, ContextView context, ActiveTransactions.Around transaction) {
        List<Hold> chain = ReactiveHolds.of(context);
        return PendingHold.ask(
                call,
                Stream.concat((chain.isEmpty() ? ThreadHolds.all() : chain).stream(), transaction.kept().stream())
                        .toList(),
                transaction);
    }

    private Publisher<Object> work(GuardedCall call, PendingHold pending) {
        return Mono.fromFuture(pending.acquired()).flatMapMany(granted -> work(call, pending, granted));
    }

    private Publisher<Object> work(GuardedCall call, PendingHold pending, Optional<LockHandle> granted) {
        try {
            if (granted.isEmpty()) {
                return publisher(call.busy(pending.target()));
            }
            Hold hold = pending.begin(granted.get());
            return Flux.from(publisher(call.proceed(hold))).contextWrite(context -> ReactiveHolds.with(context, hold));
        } catch (Throwable e) {
            return Mono.error(e);
        }
    }

    @SuppressWarnings("unchecked") // publishers only produce
    private Publisher<Object> publisher(@Nullable Object result) {
        Publisher<?> publisher = adapter == null ? (Publisher<?>) result : adapter.toPublisher(result);
        return publisher == null ? Mono.empty() : (Publisher<Object>) publisher;
    }

    private static Mono<Void> leave(PendingHold pending) {
        return Mono.fromFuture(pending.leave());
    }

    /** The error of the method counts, and the loss is suppressed, as in a block that throws. */
    private static Mono<Void> leaveAfter(PendingHold pending, Throwable error) {
        return leave(pending).onErrorResume(loss -> {
            error.addSuppressed(loss);
            return Mono.empty();
        });
    }

    /** Reactor wraps what {@link #leave} throws. */
    private static Throwable loss(Throwable error) {
        return error.getClass() == RuntimeException.class && error.getCause() instanceof LockLostException loss
                ? loss
                : error;
    }

    @Override
    public Object skipped(GuardedCall call) {
        return adapter == null ? Mono.empty() : adapter.fromPublisher(Mono.empty());
    }
}
