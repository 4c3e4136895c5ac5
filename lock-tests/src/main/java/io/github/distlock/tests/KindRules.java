package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.spi.LockKind;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Rules S12: a name has one kind. */
abstract class KindRules extends Rules {

    @ParameterizedTest
    @EnumSource
    void s12_1_aHeldNameIsRefusedForAnotherKind(LockUse use) throws Exception {
        Peer b = peer();
        LockHandle held = acquire(peer());

        for (LockUse other : otherKinds(use)) {
            expectRefused(b, other, use);
        }

        expectHeld(held, "after acquires of other kinds were refused");
        expectBusy(peer(), "after acquires of other kinds were refused");
        held.close();
        expectFree("after the release");
    }

    @ParameterizedTest
    @EnumSource
    void s12_2_aNameThatIsOnlyWaitedForIsRefusedForAnotherKind(LockUse use) throws Exception {
        Peer b = peer(builder -> builder.outageTimeout(Duration.ofHours(24)));
        Peer c = peer();
        List<LockUse> others = otherKinds(use);
        for (LockUse other : others) {
            LockHandle warmUp = other.lock(c.locks, name + "/warm-up/" + other).acquire();
            warmUp.close();
        }
        LockHandle held = acquire(alone(peer()));
        Task<LockHandle> waiter = startQueued(b, lock(b));
        silence(b);
        held.close();

        for (LockUse other : others) {
            expectRefused(c, other, use);
        }

        restore(b);
        get(waiter, "the waiter is granted the lock once the store answers it again", store.patience())
                .close();
        expectFree("after the waiter's release");
    }

    /** Returns the ways to use a lock that need another kind of it. */
    private List<LockUse> otherKinds(LockUse use) {
        List<LockUse> others = new ArrayList<>(uses());
        others.removeIf(other -> other.mode().lockKind() == use.mode().lockKind());
        return others;
    }

    private void expectRefused(Peer peer, LockUse other, LockUse use) {
        DistributedLock lock = other.lock(peer.locks, name);
        LockKind used = use.mode().lockKind();
        LockKind wanted = other.mode().lockKind();
        for (Acquire acquire : List.of(Acquire.TRY, Acquire.BLOCKING, Acquire.ASYNC)) {
            LockException refusal = failure(
                    acquire.start(lock, store.patience()),
                    LockException.class,
                    "of " + acquire + " of a " + wanted + " by the name of a " + used);
            String message = String.valueOf(refusal.getMessage());
            expect(
                    message.contains("used as a " + used + ",") && message.contains("used as a " + wanted + ";"),
                    "a refusal that names both kinds, " + used + " and " + wanted,
                    message);
        }
    }
}
