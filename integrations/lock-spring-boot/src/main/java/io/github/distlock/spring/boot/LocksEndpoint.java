package io.github.distlock.spring.boot;

import io.github.distlock.LockClient;
import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.boot.actuate.endpoint.Access;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.Endpoint;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;

/**
 * The locks of the store. Names are query parameters, because they contain slashes. By default, the endpoint only
 * reads. A release is for operators, and needs {@code management.endpoint.locks.access=unrestricted}.
 */
@Endpoint(id = "locks", defaultAccess = Access.READ_ONLY)
final class LocksEndpoint {
    /** How many names the list has at most. */
    static final int LIMIT = 1_000;

    private final BeanFactory beans;

    LocksEndpoint(BeanFactory beans) {
        this.beans = beans;
    }

    /**
     * Returns a lock, or the names of the locks in use.
     *
     * @param name the lock's name; without it, the list
     * @param prefix the beginning of the names of the list; all without it
     * @param client the name of the client's bean; the only or primary one without it
     */
    @ReadOperation
    Object locks(
            @org.springframework.lang.Nullable String name,
            @org.springframework.lang.Nullable String prefix,
            @org.springframework.lang.Nullable String client) {
        if (name != null) {
            return Lock.of(client(client).inspector().inspect(name));
        }
        List<String> names = client(client).inspector().list(prefix == null ? "" : prefix, LIMIT + 1);
        boolean isCut = names.size() > LIMIT;
        return new Names(names.stream().limit(LIMIT).sorted().toList(), isCut);
    }

    /**
     * Takes a lock away from one holder, if the hold that the operator has seen still exists.
     *
     * @param name the lock's name
     * @param token the hold's token, as the lock has shown it
     * @param client the name of the client's bean; the only or primary one without it
     */
    @DeleteOperation
    Released release(String name, long token, @org.springframework.lang.Nullable String client) {
        return new Released(client(client)
                .inspector()
                .forceRelease(name, token)
                .map(Holder::of)
                .orElse(null));
    }

    private LockClient client(@Nullable String bean) {
        return bean == null ? beans.getBean(LockClient.class) : beans.getBean(bean, LockClient.class);
    }

    /** The list of names. If it is cut, there are more. */
    record Names(List<String> names, boolean cut) {}

    /** One lock. */
    record Lock(
            String name,
            List<Holder> holders,
            List<Waiter> waiters,
            @Nullable Kept kept) {
        static Lock of(LockStatus lock) {
            return new Lock(
                    lock.lockName(),
                    lock.holders().stream().map(Holder::of).toList(),
                    lock.waiters().stream().map(Waiter::of).toList(),
                    lock.kept().map(Kept::of).orElse(null));
        }
    }

    /** A hold. The token is text, because JavaScript and jq round such numbers. */
    record Holder(Owner owner, String mode, Instant since, String token, Duration remainingLease) {
        static Holder of(LockStatus.Holder holder) {
            return new Holder(
                    Owner.of(holder.owner()),
                    holder.mode().toString(),
                    holder.since(),
                    Long.toString(holder.fencingToken()),
                    holder.remainingLease());
        }
    }

    /** A queue entry. */
    record Waiter(Owner owner, String mode, Instant since) {
        static Waiter of(LockStatus.Waiter waiter) {
            return new Waiter(Owner.of(waiter.owner()), waiter.mode().toString(), waiter.since());
        }
    }

    /** The rest of a minimum hold or a lock delay. */
    record Kept(Owner owner, Duration remaining) {
        static Kept of(LockStatus.Kept kept) {
            return new Kept(Owner.of(kept.owner()), kept.remaining());
        }
    }

    /** A client and its thread. */
    record Owner(String host, long process, String client, String thread) {
        static Owner of(LockOwner owner) {
            return new Owner(owner.host(), owner.processId(), owner.client(), owner.thread());
        }
    }

    /** The hold that was ended; null if no hold has this token any more. */
    record Released(@Nullable Holder released) {}
}
