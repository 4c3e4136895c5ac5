package io.github.distlock.examples.flashsale;

import io.github.distlock.tests.servers.JvmProcess;
import java.sql.SQLException;
import java.util.Locale;

/** What becomes of the lock, and of the stock, when the holder's process is killed or stopped. */
record Mishap(long freedAfterMillis, String loss, boolean tokenRose, boolean lateWriteRejected, boolean releaseTold) {

    /** The holder is killed: nobody is left to be told anything. */
    static Mishap kill(Store store, Staff staff) {
        JvmProcess holder = staff.till(0);
        JvmProcess next = staff.till(1);
        String lock = " " + store.name() + " killed";
        long token = Long.parseLong(Staff.ask(holder, "hold" + lock, "held"));
        Staff.ask(next, "hold" + lock, "waiting killed");
        long begin = System.nanoTime();
        staff.kill(holder);
        long nextToken = Long.parseLong(Staff.await(next, "held"));
        long freed = millisSince(begin);
        Staff.ask(next, "release", "released");
        return new Mishap(freed, "", nextToken > token, true, true);
    }

    /**
     * The holder is stopped for longer than its lease, another takes over and writes, the holder wakes up and writes,
     * too.
     */
    static Mishap stop(Store store, Staff staff, Stock stock) throws SQLException {
        JvmProcess holder = staff.till(0);
        JvmProcess next = staff.till(1);
        String row = store.name() + "-stopped";
        String lock = " " + store.name() + " " + row;
        stock.open(row, 100);
        long token = Long.parseLong(Staff.ask(holder, "hold" + lock, "held"));
        Staff.ask(next, "hold" + lock, "waiting " + row);
        long begin = System.nanoTime();
        holder.suspend();
        long nextToken = Long.parseLong(Staff.await(next, "held"));
        long freed = millisSince(begin);
        Staff.ask(next, "write " + row + " 99", "written");
        // The first thing that it does when it wakes up, before it can have looked at its lock.
        holder.send("write " + row + " 42");
        holder.resume();
        String loss = Staff.await(holder, "lost");
        String release = Staff.ask(holder, "release", "released");
        Staff.ask(next, "release", "released");
        return new Mishap(freed, loss, nextToken > token, stock.left(row) == 99, release.equals("LOST"));
    }

    String freedAfter() {
        return String.format(Locale.ROOT, "%.1f s", freedAfterMillis / 1000.0);
    }

    private static long millisSince(long begin) {
        return (System.nanoTime() - begin) / 1_000_000;
    }
}
