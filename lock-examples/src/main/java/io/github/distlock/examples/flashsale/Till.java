package io.github.distlock.examples.flashsale;

import static java.util.Objects.requireNonNull;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockEvent;
import io.github.distlock.LockHandle;
import io.github.distlock.LockListener;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Duration;
import java.util.EnumMap;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * A process that sells. It runs one command per line of input. It does not check its hold before it writes, because the
 * example shows what a suspended process does when it resumes.
 */
final class Till {
    private static final long PAYMENT_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Map<Store, LockClient> clients = new EnumMap<>(Store.class);
    private final Stock stock;
    private @Nullable LockHandle held;

    private Till(Stock stock) {
        this.stock = stock;
    }

    /** Runs a till. The arguments are the addresses of Redis and ZooKeeper, and the URL of the database. */
    public static void main(String[] arguments) throws Exception {
        try (Stock stock = Stock.connect(arguments[2])) {
            Till till = new Till(stock);
            till.use(Store.REDIS, arguments[0]);
            till.use(Store.ZOOKEEPER, arguments[1]);
            BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
            String line = commands.readLine();
            while (line != null && !line.equals("end")) {
                System.out.println(till.answer(line.split(" ", -1)));
                line = commands.readLine();
            }
            till.clients.values().forEach(LockClient::close);
        }
    }

    private void use(Store store, String address) {
        clients.put(
                store,
                LockClient.builder(store.connect(address))
                        .defaultOptions(Store.options())
                        .listener(new Announcer())
                        .build());
    }

    /** Prints that this till waits. */
    private static final class Announcer implements LockListener {
        @Override
        public void waiting(LockEvent event) {
            System.out.println("waiting " + event.lockName());
        }
    }

    private String answer(String[] words) throws SQLException, InterruptedException {
        return switch (words[0]) {
            case "open" -> "open";
            case "sell" -> "sold " + sell(words[1]);
            case "sell-locked" -> "sold " + sell(words[1], lock(words[2], words[1]));
            case "relay" -> "relayed " + relay(lock(words[1], "relay"), Duration.ofMillis(Long.parseLong(words[2])));
            case "hold" -> "held " + hold(lock(words[1], words[2]));
            case "write" -> stock.write(words[1], Integer.parseInt(words[2]), token()) ? "written" : "rejected";
            case "release" -> "released " + release();
            default -> throw new IllegalArgumentException(words[0]);
        };
    }

    private DistributedLock lock(String store, String name) {
        return requireNonNull(clients.get(Store.valueOf(store)), store).lock(name);
    }

    private int sell(String sale) throws SQLException {
        int sold = 0;
        while (sellOne(sale, 0)) {
            sold++;
        }
        return sold;
    }

    private int sell(String sale, DistributedLock lock) throws SQLException, InterruptedException {
        for (int sold = 0; ; sold++) {
            try (LockHandle held = lock.acquire()) {
                if (!sellOne(sale, held.fencingToken())) {
                    return sold;
                }
            }
        }
    }

    /** Sells one item: reads, modifies and writes the row. Returns false if nothing is left. */
    private boolean sellOne(String sale, long fencingToken) throws SQLException {
        int left = stock.left(sale);
        if (left == 0) {
            return false;
        }
        LockSupport.parkNanos(PAYMENT_NANOS);
        if (stock.write(sale, left - 1, fencingToken)) {
            stock.recordSold(sale);
        }
        return true;
    }

    /**
     * Acquires and releases the lock for some time, as fast as possible. Returns how long each acquire took, in
     * microseconds.
     */
    private static String relay(DistributedLock lock, Duration time) throws InterruptedException {
        StringJoiner micros = new StringJoiner(" ");
        long begin = System.nanoTime();
        while (System.nanoTime() - begin < time.toNanos()) {
            long before = System.nanoTime();
            LockHandle held = lock.acquire();
            micros.add(Long.toString((System.nanoTime() - before) / 1_000));
            held.close();
        }
        return micros.toString();
    }

    private long hold(DistributedLock lock) throws InterruptedException {
        LockHandle handle = lock.acquire();
        handle.onLost(loss -> System.out.println("lost " + loss.reason()));
        held = handle;
        return handle.fencingToken();
    }

    private long token() {
        return hand().fencingToken();
    }

    private LockHandle.Release release() {
        return hand().release();
    }

    private LockHandle hand() {
        if (held == null) {
            throw new IllegalStateException("nothing is held");
        }
        return held;
    }
}
