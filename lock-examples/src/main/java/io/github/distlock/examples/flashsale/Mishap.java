package io.github.distlock.examples.flashsale;

import io.github.distlock.tests.servers.ChildProgram;
import java.sql.SQLException;
import java.util.Locale;

/** The effects on the lock and on the stock when the holder's process is killed or suspended. */
record Mishap(long freedAfterMillis, String loss, boolean tokenRose, boolean lateWriteRejected, boolean releaseTold) {

    /** Kills the holder. No process is left to which its loss could be reported. */
    static Mishap kill(Store store, Staff staff) {
        ChildProgram holder = staff.till(0);
        ChildProgram next = staff.till(1);
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
     * Suspends the holder for longer than its lease. Another process acquires the lock and writes. Then the holder
     * resumes, and writes too.
     */
    static Mishap stop(Store store, Staff staff, Stock stock) throws SQLException {
        ChildProgram holder = staff.till(0);
        ChildProgram next = staff.till(1);
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
        // The holder runs this first when it resumes, before it can check its hold.
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
