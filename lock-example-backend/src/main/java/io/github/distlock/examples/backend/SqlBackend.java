package io.github.distlock.examples.backend;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.Objects.requireNonNull;

import io.github.distlock.LockOwner;
import io.github.distlock.LockStatus;
import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.Capability;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockNames;
import io.github.distlock.spi.LockRequest;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Signals;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Locks in a table of an H2 database that runs as a server.
 *
 * <p><b>What holds</b>: exclusion while the database keeps its data and its clock does not jump ahead. Fencing tokens
 * rise over the loss of its data, too, as far as its clock does. H2 writes to disk half a second after it has answered,
 * unless the URL says {@code ;WRITE_DELAY=0}: a machine that fails meanwhile may grant a held lock again. <b>What does
 * not</b>: an order of waiters. They look every 50 ms; one of them has the next turn, the others take their chance.
 */
public final class SqlBackend implements LockBackend {
    private static final int INSERTS_TO_SWEEP = 100;
    /** How many names a page has. */
    private static final int PAGE = 1_000;

    private final Database database;
    private final AtomicInteger threads = new AtomicInteger();
    private final AtomicInteger inserts = new AtomicInteger();
    private volatile @Nullable BackendContext context;

    private SqlBackend(String url, String table) {
        this.database = new Database(url, table, this::newThread);
    }

    /**
     * A backend with connections of its own. Sends nothing yet.
     *
     * @param url {@code jdbc:h2:tcp://host:port/…}, with user and password where needed
     * @param table where the locks are, letters and digits; made where it is missing
     * @return a new backend
     * @throws IllegalArgumentException when that cannot be a table's name
     */
    public static SqlBackend connect(String url, String table) {
        if (!table.matches("[A-Za-z][A-Za-z0-9_]*")) {
            throw new IllegalArgumentException("table must be letters and digits, but was \"" + table + "\"");
        }
        return new SqlBackend(url, table);
    }

    private Thread newThread(Runnable work) {
        return requireNonNull(context, "the engine starts a backend first")
                .newThread("sql" + threads.incrementAndGet(), work);
    }

    @Override
    public Set<Capability> capabilities() {
        return Set.of(Capability.INSPECT, Capability.LIST, Capability.FORCE_RELEASE, Capability.CHANGE_LEASE);
    }

    @Override
    public void start(BackendContext engine) {
        context = engine;
    }

    @Override
    public Contender contend(LockRequest request, Signals signals) {
        return new SqlContender(this, request);
    }

    @Override
    public void renewAll(Collection<? extends Renewal> due, Deadline deadline) throws InterruptedException {
        List<Renewal> renewals = new ArrayList<>(due);
        List<Object[]> rows = new ArrayList<>();
        for (Renewal renewal : renewals) {
            rows.add(((SqlContender.SqlGrant) renewal.grant()).renewal(renewal.lease()));
        }
        Moment askedAt = clock().now();
        int[] changed = database.askAll(deadline, LockTable.RENEW, rows);
        for (int i = 0; i < changed.length; i++) {
            Renewal renewal = renewals.get(i);
            if (changed[i] == 1) {
                renewal.renewed(Validity.of(askedAt, renewal.lease()));
            } else {
                renewal.gone();
            }
        }
    }

    @Override
    public Map<Grant, Grant.Release> releaseAll(Collection<? extends Grant> grants, Deadline deadline)
            throws InterruptedException {
        List<Grant> ending = List.copyOf(grants);
        List<Object[]> rows = new ArrayList<>();
        for (Grant grant : ending) {
            rows.add(((SqlContender.SqlGrant) grant).end(Duration.ZERO));
        }
        List<List<@Nullable Object>> answers = database.askEach(deadline, LockTable.END, rows);
        Map<Grant, Grant.Release> found = new HashMap<>();
        for (int i = 0; i < answers.size(); i++) {
            found.put(ending.get(i), ((SqlContender.SqlGrant) ending.get(i)).ended(answers.get(i)));
        }
        return found;
    }

    @Override
    public Duration expiry(LockRequest request) {
        return request.lease().compareTo(LockTable.TURN) > 0 ? request.lease() : LockTable.TURN;
    }

    @Override
    public LockStatus inspect(String name, Deadline deadline) throws InterruptedException {
        LockStatus free = LockStatus.free(name);
        return find(deadline, LockTable.INSPECT, SqlContender.bytes(name))
                .map(found -> found.isHeld() ? free.withHolders(List.of(found.holder())) : free.withKept(found.kept()))
                .orElse(free);
    }

    @Override
    public LockNames list(String prefix, Optional<String> position, Deadline deadline) throws InterruptedException {
        List<String> names = new ArrayList<>();
        for (Object name : database.askColumn(
                deadline, LockTable.LIST, SqlContender.bytes(prefix), SqlContender.bytes(position.orElse("")), PAGE)) {
            names.add(new String((byte[]) name, UTF_8));
        }
        return names.size() < PAGE ? LockNames.last(names) : LockNames.page(names, names.get(PAGE - 1));
    }

    @Override
    public List<LockStatus.Holder> forceRelease(String name, OptionalLong fencingBase, Deadline deadline)
            throws InterruptedException {
        return find(deadline, LockTable.FORCE_RELEASE, SqlContender.bytes(name), fencingBase.orElse(0))
                .filter(Found::isHeld)
                .map(Found::holder)
                .stream()
                .toList();
    }

    /** A row that is not over. */
    private record Found(LockOwner owner, long base, Duration left, boolean isHeld) {
        LockStatus.Holder holder() {
            Instant since = Instant.EPOCH.plus(base, ChronoUnit.MICROS);
            return LockStatus.Holder.of(owner, LockMode.EXCLUSIVE, since, base, left);
        }

        LockStatus.Kept kept() {
            return LockStatus.Kept.of(owner, left);
        }
    }

    private Optional<Found> find(Deadline deadline, String statement, Object... parameters)
            throws InterruptedException {
        List<@Nullable Object> row = database.ask(deadline, statement, parameters);
        if (row.size() == 4
                && row.get(0) instanceof String owner
                && row.get(1) instanceof Long base
                && row.get(2) instanceof Long left
                && row.get(3) instanceof Boolean isHeld) {
            Duration remaining = Duration.of(left, ChronoUnit.MICROS);
            return Optional.of(new Found(SqlContender.owner(owner), base, remaining, isHeld));
        }
        return Optional.empty();
    }

    @Override
    public void close() {
        database.close();
    }

    Database database() {
        return database;
    }

    /** Makes the lock's row; false when it is there. */
    boolean insert(byte[] name, Deadline deadline) throws InterruptedException {
        if (database.ask(deadline, LockTable.INSERT, (Object) name).isEmpty()) {
            return false;
        }
        if (inserts.incrementAndGet() % INSERTS_TO_SWEEP == 0) {
            database.ask(deadline, LockTable.SWEEP);
        }
        return true;
    }
}
