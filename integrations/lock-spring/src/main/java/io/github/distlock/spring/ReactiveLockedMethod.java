package io.github.distlock.spring;

import io.github.distlock.LockHandle;
import java.util.List;
import reactor.core.publisher.Mono;

/** What the reactive chain of a {@link DistributedLocked} method can ask. Needs Reactor. */
public final class ReactiveLockedMethod {
    private ReactiveLockedMethod() {}

    /**
     * Returns the hold of the innermost {@link DistributedLocked} method in whose chain it is subscribed to: see
     * {@link LockedMethod#currentHandle()}. In a {@code suspend} function of Kotlin, await it.
     *
     * @return emits the hold, or an {@link IllegalStateException} if there is no such method
     */
    public static Mono<LockHandle> currentHandle() {
        return Mono.deferContextual(context -> {
            List<Hold> holds = ReactiveHolds.of(context);
            return holds.isEmpty()
                    ? Mono.error(new IllegalStateException("no @DistributedLocked method is in this reactive chain"))
                    : Mono.just(holds.get(0).handle());
        });
    }
}
