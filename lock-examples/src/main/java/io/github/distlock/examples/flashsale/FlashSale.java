package io.github.distlock.examples.flashsale;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.h2.tools.Server;

/**
 * Runs a sale. Several processes sell a limited stock: they read, modify and write a row of a shared database. They do
 * so without a lock, then under a Redis lock, then under a ZooKeeper lock. With each lock, the program then kills a
 * holder, and suspends another one for longer than its lease. It starts and ends everything that it needs, in less than
 * a minute.
 *
 * <p>The exit status is 0 if all of this is true:
 *
 * <ul>
 *   <li>Without a lock, the processes sell too much. With either lock, they sell exactly the stock.
 *   <li>The lock is free again after a crash of its holder.
 *   <li>The suspended holder is notified of its loss, and its late write is rejected.
 * </ul>
 */
public final class FlashSale {
    private static final int TILLS = 6;
    private static final int PIECES = 200;

    private final Terminal terminal = Terminal.open();
    private final List<String> failures = new ArrayList<>();

    private FlashSale() {}

    /**
     * Runs the sale.
     *
     * @param arguments none
     * @throws SQLException if the database of the example fails
     */
    public static void main(String[] arguments) throws SQLException {
        boolean good = new FlashSale().run();
        System.exit(good ? 0 : 1);
    }

    private boolean run() throws SQLException {
        long begin = System.nanoTime();
        terminal.heading("A flash sale: " + TILLS + " processes sell " + PIECES
                + " items. Each sale reads and writes the same database row.");
        terminal.begin("starting");
        Server database = Stock.startServer();
        String url = Stock.url(database);
        try (Stock stock = Stock.connect(url);
                Servers servers = Servers.start();
                Staff staff = Staff.hire(TILLS, servers, url)) {
            stock.createTables();
            terminal.done(TILLS + " JVMs, beside the servers");
            sellWithoutLock(staff, stock);
            Results results = new Results();
            for (Store store : Store.values()) {
                see(store, staff, servers, stock, results);
            }
            results.print(terminal, servers::version);
        } finally {
            database.stop();
        }
        return summary((System.nanoTime() - begin) / 1e9);
    }

    private void sellWithoutLock(Staff staff, Stock stock) throws SQLException {
        terminal.begin("no lock");
        Sale sale = Sale.run("open", PIECES, "sell open", staff, stock, terminal);
        boolean oversold = sale.sold() > PIECES;
        terminal.done("sold " + sale.sold() + " of " + PIECES + " items: "
                + (oversold
                        ? terminal.bad((sale.sold() - PIECES) + " customers receive nothing")
                        : "not one too many"));
        check(oversold, "without a lock too much is sold");
    }

    private void see(Store store, Staff staff, Servers servers, Stock stock, Results results) throws SQLException {
        terminal.begin(store + " lock");
        String name = "sale-" + store.name();
        Sale sale = Sale.run(name, PIECES, "sell-locked " + name + " " + store.name(), staff, stock, terminal);
        check(sale.isExact(), "under the " + store + " lock exactly the stock is sold");
        terminal.done("sold " + sale.sold() + " of " + PIECES + " items: "
                + (sale.isExact() ? terminal.good("exact") : terminal.bad("not exact")));

        terminal.begin(store + ": all want the lock");
        Relay contended = Relay.contended(store, staff, servers);
        Relay free = Relay.free(store, staff.till(0), servers);
        terminal.done(contended.perSecond() + " handoffs per second");

        terminal.begin(store + ": holder killed");
        Mishap killed = Mishap.kill(store, staff);
        terminal.done("next holder after " + killed.freedAfter() + ", with a greater token (lease: "
                + Store.LEASE.toSeconds() + " s)");
        check(killed.tokenRose(), "after a crash on " + store + " the next holder has a greater token");

        terminal.begin(store + ": holder suspended");
        Mishap stopped = Mishap.stop(store, staff, stock);
        terminal.done("next holder after " + stopped.freedAfter() + "; resumed: " + stopped.loss() + ", late write "
                + (stopped.lateWriteRejected() ? terminal.good("rejected") : terminal.bad("ACCEPTED")));
        check(stopped.tokenRose(), "after a suspension on " + store + " the next holder has a greater token");
        check(
                !stopped.loss().isEmpty() && stopped.releaseTold(),
                "the loss is reported to the holder that resumed on " + store);
        check(stopped.lateWriteRejected(), "the late write on " + store + " is rejected");

        results.add(store, sale, contended, free, killed, stopped);
    }

    private void check(boolean holds, String what) {
        if (!holds) {
            failures.add(what);
        }
    }

    private boolean summary(double seconds) {
        failures.forEach(failure -> terminal.line(terminal.bad("  DOES NOT HOLD: " + failure)));
        if (failures.isEmpty()) {
            terminal.line(terminal.good(String.format(Locale.ROOT, "  All checks hold; %.0f s.", seconds)));
        }
        return failures.isEmpty();
    }
}
