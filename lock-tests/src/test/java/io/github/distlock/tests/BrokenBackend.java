package io.github.distlock.tests;

import io.github.distlock.LockOwner;
import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;

/** Backends over the in-memory store with one bug each, and the rules that must find it. */
enum BrokenBackend {
    CONSTANT_TOKEN("s3_1_tokensRiseOverHolders") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                long fencingBase(Held held) {
                    return 7;
                }
            };
        }
    },

    /** As a counter that lives as long as the lock does. */
    TOKEN_STARTS_ANEW("s3_6_tokensRiseWhenTheStoreHasForgottenTheLock", "s3_4_tokensRiseWhenTheHolderFellSilent") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                private long grants;

                @Override
                public Contender contend(LockRequest request, Signals signals) {
                    grants++;
                    return super.contend(request, signals);
                }

                @Override
                long fencingBase(Held held) {
                    return grants;
                }
            };
        }
    },

    /** Unique, but in no order. */
    TOKEN_IS_SCRAMBLED("s3_1_tokensRiseOverHolders", "s3_3_tokensRiseOverLocalPassesAndStoreGrants") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                long fencingBase(Held held) {
                    return Long.reverse(super.fencingBase(held)) >>> 9;
                }
            };
        }
    },

    RELEASE_DOES_NOTHING("s8_1_aReleasedHoldStaysReleased", "api_19_anotherThreadMayRelease") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Grant.Release release(Held held, Deadline deadline) {
                    return Grant.Release.RELEASED;
                }
            };
        }
    },

    /** As a release without a comparison of the owner. */
    RELEASE_FREES_WHOEVER_HOLDS(
            "s5_2_aReleaseOfADeletedHoldSparesTheSuccessor", "s2_4_aGrantThatIsTooLateSparesTheSuccessor") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Grant.Release release(Held held, Deadline deadline) {
                    store.delete(held.place.request.name());
                    return Grant.Release.RELEASED;
                }
            };
        }
    },

    RELEASE_NEVER_SAYS_GONE("s5_2_aReleaseOfADeletedHoldSparesTheSuccessor") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
                    Grant.Release truth = super.release(held, deadline);
                    return truth == Grant.Release.GONE ? Grant.Release.RELEASED : truth;
                }
            };
        }
    },

    RENEWAL_OF_A_MISSING_HOLD_SUCCEEDS(
            "s6_5_aDeletedHoldIsNoticedByTheNextRenewal",
            "s5_3_renewalNeverCreates",
            "s5_4_renewalSparesTheSuccessor") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                void gone(Renewal renewal) {
                    renewal.renewed(Validity.of(clock().now(), renewal.lease()));
                }
            };
        }
    },

    RENEWAL_CREATES("s5_3_renewalNeverCreates") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                    for (Renewal renewal : due) {
                        Held held = (Held) renewal.grant();
                        try {
                            var unused = inner.contend(held.place.request, held.place.signals)
                                    .attempt(deadline);
                        } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                        }
                    }
                    super.renewAll(due, deadline);
                }
            };
        }
    },

    RENEWAL_NEVER_SUCCEEDS("v8_4_aRenewedLeaseOutlivesManyLeases", "api_27_renewalsAreTold") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {}
            };
        }
    },

    /** The store is asked, but the hold is not extended there. */
    RENEWAL_IS_A_LIE("v8_4_aRenewedLeaseOutlivesManyLeases") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {
                    due.forEach(renewal -> renewal.renewed(Validity.of(clock().now(), renewal.lease())));
                }
            };
        }
    },

    VALIDITY_IS_TOO_LONG(
            "s6_1_aSilentHoldersHoldEndsBeforeAnotherIsGranted", "s6_3_aLapsedLeaseIsReportedWithinASecond") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Validity validity(Held held) {
                    Validity validity = super.validity(held);
                    return Validity.of(validity.from(), validity.length().multipliedBy(2));
                }
            };
        }
    },

    VALIDITY_COUNTS_FROM_THE_ANSWER("s6_2_aHoldCountsFromBeforeItsRequestWasSent") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Validity validity(Held held) {
                    return Validity.of(clock().now(), super.validity(held).length());
                }
            };
        }
    },

    /** The first reply is late, and all are dated when they came. */
    LATE_GRANTS_LOOK_FRESH("s6_1_aSilentHoldersHoldEndsBeforeAnotherIsGranted") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    Attempt answer = super.attempt(place, deadline);
                    if (answer instanceof Attempt.Granted granted
                            && granted.grant().fencingBase() == 1) {
                        store.advance(place.request.lease().dividedBy(2));
                    }
                    return answer;
                }

                @Override
                Validity validity(Held held) {
                    return Validity.of(clock().now(), super.validity(held).length());
                }

                @Override
                public void renewAll(Collection<? extends Renewal> due, Deadline deadline) {}
            };
        }
    },

    WITHDRAWAL_DOES_NOTHING(
            "s7_11_anAcquireThatIsGivenUpLeavesNoPlace",
            "s7_12_aPlaceThatIsGivenUpDelaysNoWaiter",
            "s7_1_cancellingTheFutureWithdraws",
            "s7_10_aTryWhoseGrantIsLostLeavesNothing") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                void withdraw(Place place, Deadline deadline) {}
            };
        }
    },

    /** Leaves what an attempt with an unknown outcome has won. */
    WITHDRAWAL_LEAVES_THE_HOLD("s7_10_aTryWhoseGrantIsLostLeavesNothing") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                void withdraw(Place place, Deadline deadline) throws InterruptedException {
                    boolean held = inspect(place.request.name(), deadline)
                            .holder()
                            .map(holder -> holder.owner().equals(place.request.owner()))
                            .orElse(false);
                    if (!held) {
                        super.withdraw(place, deadline);
                    }
                }
            };
        }
    },

    /** Not idempotent: what is asked again is asked by somebody new. */
    NEW_IDENTITY_PER_ATTEMPT(
            "s7_7_aGrantWhoseReplyIsLostIsGrantedOnce", "s7_9_aWaitersGrantWhoseReplyIsLostIsGrantedOnce") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    Attempt answer = super.attempt(place, deadline);
                    if (answer instanceof Attempt.Busy) {
                        place.inner.withdraw(deadline);
                    }
                    place.inner = inner.contend(place.request, place.signals);
                    return answer;
                }
            };
        }
    },

    /** The store frees the lock and tells nobody, and who waits asks again tomorrow. */
    NEVER_WAKES("v2_2_aWaiterGetsTheLockSoonAfterItsRelease", "v2_1_manyHandOversLoseNoWakeUp") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                public Contender contend(LockRequest request, Signals signals) {
                    return super.contend(request, Deaf.INSTANCE);
                }

                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    return rarely(super.attempt(place, deadline));
                }
            };
        }
    },

    RELIES_ON_WAKE_UPS("v2_3_aMissedWakeUpCostsBoundedTime", "v1_2_aWaiterGetsASilentClientsLockAfterItsExpiry") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    return rarely(super.attempt(place, deadline));
                }
            };
        }
    },

    UNFAIR_BUT_SAYS_FAIR("v3_2_fairLocksAreGrantedInOrder") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                public Contender contend(LockRequest request, Signals signals) {
                    LockRequest polling = request.withoutWaiting();
                    return new Place(polling, signals, inner.contend(polling, signals));
                }

                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    return super.attempt(place, deadline) instanceof Attempt.Granted granted
                            ? granted
                            : Attempt.busy(Duration.ofMillis(
                                    ThreadLocalRandom.current().nextInt(1, 20)));
                }
            };
        }
    },

    NO_EXCLUSION_BETWEEN_CLIENTS("s1_2_holdsOfClientsNeverOverlap", "s1_5_aHeldLockIsBusyForAnotherClient") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new Renaming(store) {
                @Override
                String renamed(String name) {
                    return name + "@" + System.identityHashCode(this);
                }
            };
        }
    },

    CASE_IS_IGNORED("api_31_slashesAndDotsAreCharactersLikeAnyOther") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new Renaming(store) {
                @Override
                String renamed(String name) {
                    return name.toLowerCase(Locale.ROOT);
                }
            };
        }
    },

    BRACES_ARE_STRIPPED("api_32_bracesAndColonsAreCharactersLikeAnyOther") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new Renaming(store) {
                @Override
                String renamed(String name) {
                    return name.replace("{", "").replace("}", "");
                }
            };
        }
    },

    LONG_NAMES_ARE_CUT("api_34_longNamesAreDistinctInTheirLastCharacter") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new Renaming(store) {
                @Override
                String renamed(String name) {
                    return name.substring(0, Math.min(name.length(), 250));
                }
            };
        }
    },

    /** Waits for the store for as long as it takes. */
    IGNORES_DEADLINES(
            "v4_4_aTimedAcquireReturnsInTimeWhenTheStoreIsSilent",
            "v4_5_aTryReturnsInTimeWhenTheStoreIsSilent",
            "v4_3_aReleaseToASilentStoreIsPendingAndGoesOn") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    return super.attempt(place, patient());
                }

                @Override
                Grant.Release release(Held held, Deadline deadline) throws InterruptedException {
                    return super.release(held, patient());
                }

                private Deadline patient() {
                    return Deadline.after(Duration.ofSeconds(2), clock());
                }
            };
        }
    },

    /** Keeps asking while the store says busy. */
    WAITS_INSIDE_AN_ATTEMPT("v4_1_aTimedAcquireOfABusyLockEndsEmptyInTime") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    Attempt answer = super.attempt(place, deadline);
                    long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
                    while (answer instanceof Attempt.Busy && place.request.waits() && System.nanoTime() < end) {
                        LockSupport.parkNanos(10_000_000);
                        answer = super.attempt(place, deadline);
                    }
                    return answer;
                }
            };
        }
    },

    SWALLOWS_INTERRUPTS("v7_7_aTryKeepsTheFlag") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                Attempt attempt(Place place, Deadline deadline) throws InterruptedException {
                    boolean unused = Thread.interrupted();
                    return super.attempt(place, deadline);
                }
            };
        }
    },

    OWNERS_ARE_NOT_KEPT("api_39_theInspectorSeesTheHolder", "api_40_theInspectorSeesTheWaiters") {
        @Override
        LockBackend over(InMemoryStore store) {
            return new WrappedBackend(store.connect()) {
                @Override
                public Contender contend(LockRequest request, Signals signals) {
                    LockRequest anonymous = LockRequest.exclusive(
                            request.name(), request.lease(), LockOwner.of("unknown", 0, "unknown", "unknown"));
                    return super.contend(request.waits() ? anonymous : anonymous.withoutWaiting(), signals);
                }
            };
        }
    };

    /** The rules that must fail, each of them. */
    private final String rules;

    BrokenBackend(String... rules) {
        this.rules = String.join(" ", rules);
    }

    List<String> rules() {
        return List.of(rules.split(" ", -1));
    }

    abstract LockBackend over(InMemoryStore store);

    private static Attempt rarely(Attempt answer) {
        return answer instanceof Attempt.Busy ? Attempt.busy(Duration.ofDays(1)) : answer;
    }

    private enum Deaf implements Signals {
        INSTANCE;

        @Override
        public void wakeUp() {}

        @Override
        public void wanted() {}

        @Override
        public void suspect() {}

        @Override
        public void gone() {}
    }

    private abstract static class Renaming extends WrappedBackend {
        Renaming(InMemoryStore store) {
            super(store.connect());
        }

        abstract String renamed(String name);

        @Override
        public Contender contend(LockRequest request, Signals signals) {
            return super.contend(request.withNames(List.of(renamed(request.name()))), signals);
        }
    }
}
