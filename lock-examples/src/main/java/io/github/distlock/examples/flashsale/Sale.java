package io.github.distlock.examples.flashsale;

import java.sql.SQLException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** A sale: all tills sell the same stock until nothing is left. */
record Sale(int pieces, int sold, long nanos) {
    private static final long LOOK_NANOS = TimeUnit.MILLISECONDS.toNanos(50);

    static Sale run(String name, int pieces, String command, Staff staff, Stock stock, Terminal terminal)
            throws SQLException {
        stock.open(name, pieces);
        long begin = System.nanoTime();
        staff.tellAll(command);
        for (int left = pieces; left > 0 && isInTime(begin); left = stock.left(name)) {
            terminal.progress(1.0 - (double) left / pieces, left + " of " + pieces + " left");
            LockSupport.parkNanos(LOOK_NANOS);
        }
        long end = System.nanoTime();
        staff.awaitAll("sold");
        return new Sale(pieces, stock.sold(name), end - begin);
    }

    private static boolean isInTime(long begin) {
        return System.nanoTime() - begin < Staff.PATIENCE.toNanos();
    }

    boolean isExact() {
        return sold == pieces;
    }

    long perSecond() {
        return sold * TimeUnit.SECONDS.toNanos(1) / nanos;
    }
}
