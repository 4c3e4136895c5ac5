package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockException;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** S2: no acquire returns a hold with less validity than it demands. */
@SuppressWarnings("LockNotBeforeTry") // The tests are about single acquires and releases.
class MinimumValidityTest extends EngineTest {
    private static final Duration MINIMUM = Duration.ofSeconds(10);
    private static final LockOptions OPTIONS = LockOptions.defaults().minimumValidity(MINIMUM);
    /** Two thirds of a lease, which are left until the first renewal is due. */
    private static final LockOptions TWO_THIRDS = LockOptions.defaults().minimumValidity(Duration.ofSeconds(20));

    /** After this time, less than two thirds of a lease are left, and no renewal is due. */
    private static final Duration MORE_THAN_A_THIRD = Duration.ofMillis(8_500);

    private final AtomicInteger shortGrants = new AtomicInteger();

    /** Lets the first grants have five seconds, as after a handoff by a server. */
    private void grantBriefly(int number) {
        shortGrants.set(number);
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            if (answer instanceof Attempt.Granted granted && shortGrants.getAndDecrement() > 0) {
                Grant grant = granted.grant();
                Validity brief = Validity.of(grant.validity().from(), Duration.ofSeconds(5));
                return Attempt.granted(overriding(Grant.class, grant, "validity", () -> brief));
            }
            return answer;
        };
    }

    private void renewNothing() {
        backend.renewing = (due, deadline) -> {
            throw new IllegalStateException("no answer");
        };
    }

    @ParameterizedTest
    @EnumSource
    void s2_aGrantWithTooLittleIsRenewed(Way way) throws Exception {
        grantBriefly(1);
        backend.renewing = (due, deadline) -> due.forEach(
                renewal -> renewal.renewed(Validity.of(backend.clock().now(), renewal.lease())));

        LockHandle held = way.acquire(client.lock("a", OPTIONS), LONG).orElseThrow();

        assertThat(held.remaining()).isGreaterThan(Duration.ofSeconds(20));
        assertThat(backend.attempts).hasValue(1);
        held.close();
    }

    @ParameterizedTest
    @EnumSource(
            mode = Mode.EXCLUDE,
            names = {"TRY", "TRY_ASYNC"})
    void s2_aGrantThatCannotBeRenewedIsGivenBackAndAskedForAgain(Way way) throws Exception {
        grantBriefly(1);
        renewNothing();

        LockHandle held = way.acquire(client.lock("a", OPTIONS), LONG).orElseThrow();

        assertThat(held.remaining()).isGreaterThan(MINIMUM);
        assertThat(backend.attempts).hasValue(2);
        held.close();
        expectNothingLeft();
    }

    @Test
    void s2_aSingleTryThatIsGrantedTooLittleFails() {
        grantBriefly(1);
        renewNothing();
        DistributedLock demanding = client.lock("a", OPTIONS);

        assertThatThrownBy(demanding::tryAcquire)
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("granted it too late", "minimum validity of PT10S");

        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource
    void s2_anAcquireFailsAfterItsFirstGrantIfNoSessionCanProveAsMuch(Way way) throws Exception {
        backend.capabilities = EnumSet.complementOf(EnumSet.of(Capability.CHANGE_LEASE));
        backend.session = Duration.ofSeconds(20);
        grantBriefly(Integer.MAX_VALUE);
        renewNothing();
        LockOptions longer = LockOptions.defaults().renewedLease(LONG).minimumValidity(Duration.ofSeconds(40));
        DistributedLock demanding = open(settings()).lock("a", longer);

        assertThatThrownBy(() -> way.acquire(demanding, LONG))
                .isInstanceOf(LockException.class)
                .hasMessageContainingAll("minimumValidity must be at most PT18.8S on this store", "PT40S");

        assertThat(backend.attempts).hasValue(1);
        expectNothingLeft();
    }

    @Test
    void s2_anAcquireGivesUpOnlyIfEachGrantIsTooShortForAsLongAsAnOutage() throws Exception {
        LockHandle busy = other.lock("a").acquire();
        Task<LockHandle> acquiring = startWaiting(client.lock("a", OPTIONS)::acquire);
        store.advance(LONG);
        grantBriefly(1);
        renewNothing();

        busy.close();

        get(acquiring).close();
        grantBriefly(Integer.MAX_VALUE);
        Task<LockHandle> failing = start(client.lock("a", OPTIONS)::acquire);
        Await.until("it gives up", () -> {
            store.advance(Duration.ofSeconds(1));
            return failing.isDone();
        });
        assertFails(failing).isInstanceOf(LockException.class).hasMessageContaining("granted it too late");
    }

    @ParameterizedTest
    @EnumSource(names = {"TIMED", "TIMED_ASYNC"})
    void s2_aTimedAcquireWhoseGrantsAreTooShortDoesNotSayThatTheLockIsBusy(Way way) {
        grantBriefly(Integer.MAX_VALUE);
        renewNothing();
        DistributedLock demanding = client.lock("a", OPTIONS);

        assertThatThrownBy(() -> way.acquire(demanding, Duration.ofMillis(200))).isInstanceOf(LockException.class);
    }

    @Test
    void s2_aFixedLeaseThatIsTooShortIsNotMadeLongerByItsRenewal() {
        LockOptions fixed = LockOptions.defaults().fixedLease(LEASE).minimumValidity(Duration.ofSeconds(28));
        backend.asking = (contender, deadline) -> {
            Attempt answer = contender.attempt(deadline);
            store.advance(Duration.ofSeconds(2));
            return answer;
        };

        assertThatThrownBy(() -> client.lock("a", fixed).tryAcquire())
                .isInstanceOf(LockException.class)
                .hasMessageContaining("granted it too late");
    }

    // What the client has already

    private LockClient handingOn() {
        return open(settings().localHandoff(64, LONG));
    }

    @Test
    void s2_aLeaseWithLessThanTheMinimumIsNotHandedOff() throws Exception {
        DistributedLock demanding = handingOn().lock("a", TWO_THIRDS);
        LockHandle held = demanding.acquire();
        Task<LockHandle> waiter = startWaiting(demanding::acquire);
        renewNothing();
        store.advance(MORE_THAN_A_THIRD);

        held.close();

        LockHandle next = get(waiter);
        assertThat(base(next)).isGreaterThan(base(held));
        next.close();
    }

    @Test
    void s2_aLeaseWithLessThanTheMinimumIsNotJoined() throws Exception {
        DistributedReadWriteLock locks = handingOn().readWriteLock("a", TWO_THIRDS);
        LockHandle held = locks.readLock().acquire();
        renewNothing();
        store.advance(MORE_THAN_A_THIRD);

        LockHandle second = get(locks.readLock().acquireAsync());

        assertThat(base(second)).isGreaterThan(base(held));
        second.close();
        held.close();
    }

    @Test
    void s2_aStickyLeaseWithLessThanTheMinimumIsNotUsedAgain() throws Exception {
        DistributedLock sticky = client.lock("a", TWO_THIRDS.sticky());
        LockHandle held = sticky.acquire();
        renewNothing();
        store.advance(MORE_THAN_A_THIRD);
        held.close();

        LockHandle next = sticky.acquire();

        assertThat(base(next)).isGreaterThan(base(held));
        next.close();
    }

    @Test
    void s2_aReentrantAcquireEnsuresTheMinimum() throws Exception {
        DistributedLock reentrant = client.lock("a", TWO_THIRDS).reentrant();
        LockHandle outer = reentrant.acquire();
        store.advance(MORE_THAN_A_THIRD);

        LockHandle inner = reentrant.acquire();

        assertThat(inner.remaining()).isGreaterThan(Duration.ofSeconds(20));
        renewNothing();
        store.advance(MORE_THAN_A_THIRD);
        assertThatThrownBy(reentrant::acquire).isInstanceOf(LockException.class);
        inner.close();
        assertThat(outer.isHeld()).isTrue();
        outer.close();
        expectNothingLeft();
    }

    @Test
    void s2_eachOfSeveralLocksHasTheMinimum() throws Exception {
        LockHandle busy = other.lock("b").acquire();
        DistributedLock all = client.allOf(List.of("a", "b"), TWO_THIRDS);
        Task<LockHandle> acquiring = startWaiting(all::acquire);
        store.advance(MORE_THAN_A_THIRD);

        busy.close();

        LockHandle held = get(acquiring);
        assertThat(held.remaining()).isGreaterThan(Duration.ofSeconds(20));
        held.close();
    }

    // Options

    @Test
    void api_aMinimumThatNoGrantCanHaveIsRefusedBeforeAnythingIsSent() {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> client.lock("a", OPTIONS.renewedLease(MINIMUM)))
                .withMessageContainingAll("minimumValidity", "less than PT9.4S", "lease of PT10S", "was PT10S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> OPTIONS.maximumHold(Duration.ofSeconds(9)))
                .withMessageContainingAll("minimumValidity", "PT10S", "maximumHold", "PT9S");
        assertThatIllegalArgumentException()
                .isThrownBy(() -> LockOptions.defaults().minimumValidity(Duration.ZERO))
                .withMessageContaining("positive");
        assertThat(backend.requests).hasValue(0);
    }

    @Test
    void api_optionsShowAndCompareTheMinimum() {
        assertThat(OPTIONS.minimumValidity()).isEqualTo(Optional.of(MINIMUM));
        assertThat(OPTIONS).isEqualTo(LockOptions.defaults().minimumValidity(MINIMUM));
        assertThat(OPTIONS).hasSameHashCodeAs(LockOptions.defaults().minimumValidity(MINIMUM));
        assertThat(OPTIONS).isNotEqualTo(LockOptions.defaults());
        assertThat(OPTIONS).hasToString("renewed lease of PT30S, granted with at least PT10S");
    }
}
