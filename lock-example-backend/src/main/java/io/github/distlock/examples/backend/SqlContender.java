package io.github.distlock.examples.backend;

import io.github.distlock.LockOwner;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Validity;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/** One contender for a lock, known to the database by an id that is never used again. */
final class SqlContender implements Contender {
    private static final Duration RETRY = Duration.ofMillis(50);

    private final SqlBackend backend;
    private final LockRequest request;
    private final byte[] name;
    private final String id = UUID.randomUUID().toString();
    private int asked;
    private int answered;

    SqlContender(SqlBackend backend, LockRequest request) {
        this.backend = backend;
        this.request = request;
        this.name = bytes(request.name());
    }

    static byte[] bytes(String name) {
        return name.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public Attempt attempt(Deadline deadline) throws InterruptedException {
        Moment askedAt = backend.clock().now();
        asked++;
        Attempt answer = ask(askedAt, deadline);
        answered++;
        return answer;
    }

    private Attempt ask(Moment askedAt, Deadline deadline) throws InterruptedException {
        Database database = backend.database();
        long lease = LockTable.micros(request.lease());
        do {
            List<@Nullable Object> grant =
                    database.ask(deadline, LockTable.GRANT, name, id, lease, owner(request.owner()));
            if (!grant.isEmpty() && grant.get(0) instanceof Long base) {
                return Attempt.granted(new SqlGrant(base, Validity.of(askedAt, request.lease())));
            }
        } while (backend.insert(name, deadline));
        if (request.waits()) {
            database.ask(deadline, LockTable.QUEUE, name, id, LockTable.micros(LockTable.TURN));
        }
        return Attempt.busy(RETRY);
    }

    @Override
    public void withdraw(Deadline deadline) throws InterruptedException {
        Object[] end = ending(Duration.ZERO);
        while (asked > 0 && backend.database().ask(deadline, LockTable.END, end).isEmpty()) {
            backend.insert(name, deadline);
        }
    }

    /** Once an answer is missing, its request may come at any time. */
    private Object[] ending(Duration keptFor) {
        return new Object[] {name, id, asked != answered, LockTable.micros(keptFor)};
    }

    private static String owner(LockOwner owner) {
        return String.join("\n", owner.host(), String.valueOf(owner.processId()), owner.client(), owner.thread());
    }

    static LockOwner owner(String text) {
        String[] parts = text.split("\n", 4);
        return LockOwner.of(parts[0], Long.parseLong(parts[1]), parts[2], parts[3]);
    }

    /** The row has this contender as its holder. */
    final class SqlGrant implements Grant {
        private final long base;
        private final Validity validity;
        private int endsAsked;

        private SqlGrant(long base, Validity validity) {
            this.base = base;
            this.validity = validity;
        }

        @Override
        public long fencingBase() {
            return base;
        }

        @Override
        public Validity validity() {
            return validity;
        }

        Object[] renewal(Duration lease) {
            return new Object[] {name, id, LockTable.micros(lease)};
        }

        @Override
        public Release release(Deadline deadline) throws InterruptedException {
            return keep(Duration.ZERO, deadline);
        }

        @Override
        public Release keep(Duration time, Deadline deadline) throws InterruptedException {
            return ended(backend.database().ask(deadline, LockTable.END, end(time)));
        }

        /** What to ask the database. The lock stays kept for a time. */
        Object[] end(Duration keptFor) {
            endsAsked++;
            return ending(keptFor);
        }

        /** What its answer says. An earlier request may have ended the hold. */
        Release ended(List<@Nullable Object> answer) {
            return answer.contains(true) || endsAsked > 1 ? Release.RELEASED : Release.GONE;
        }
    }
}
