package io.github.distlock.examples.flashsale;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Function;

/** The results of both stores, in one table with a column for each. */
final class Results {
    private record Seen(Sale sale, Relay contended, Relay free, Mishap killed, Mishap stopped) {}

    private final Map<Store, Seen> seen = new EnumMap<>(Store.class);

    void add(Store store, Sale sale, Relay contended, Relay free, Mishap killed, Mishap stopped) {
        seen.put(store, new Seen(sale, contended, free, killed, stopped));
    }

    void print(Terminal terminal, Function<Store, String> title) {
        terminal.line("");
        terminal.heading(
                String.format("  %-52s %16s %16s", "", title.apply(Store.REDIS), title.apply(Store.ZOOKEEPER)));
        row(terminal, "items sold per second, payment of 1 ms each", each -> each.sale.perSecond() + "");
        row(terminal, "acquire, lock free: p50 / p99, ms", each -> percentiles(each.free));
        row(terminal, "acquire, all processes wait: p50 / p99, ms", each -> percentiles(each.contended));
        row(terminal, "handoffs per second, all processes wait", each -> each.contended.perSecond() + "");
        row(terminal, "server requests per acquire and release, lock free", each -> requests(each.free));
        row(terminal, "server requests per acquire and release, waiting", each -> requests(each.contended));
        row(terminal, "lock free after its holder was killed (SIGKILL)", each -> each.killed.freedAfter());
        row(terminal, "lock free after its holder was suspended (SIGSTOP)", each -> each.stopped.freedAfter());
        row(terminal, "loss reported to the holder that resumed", each -> each.stopped.loss());
        row(terminal, "its late write, checked by fencing token", each -> rejected(each.stopped));
        terminal.line("");
    }

    private void row(Terminal terminal, String what, Function<Seen, String> value) {
        terminal.line(format(what, value.apply(of(Store.REDIS)), value.apply(of(Store.ZOOKEEPER))));
    }

    private static String format(String what, String redis, String zooKeeper) {
        return String.format("  %-52s %16s %16s", what, redis, zooKeeper);
    }

    private Seen of(Store store) {
        Seen found = seen.get(store);
        if (found == null) {
            throw new IllegalStateException("nothing was seen of " + store);
        }
        return found;
    }

    private static String percentiles(Relay relay) {
        return String.format(Locale.ROOT, "%.2f / %.2f", relay.percentile(50), relay.percentile(99));
    }

    private static String requests(Relay relay) {
        return String.format(Locale.ROOT, "%.1f", relay.requestsPerAcquisition());
    }

    private static String rejected(Mishap mishap) {
        return mishap.lateWriteRejected() ? "rejected" : "ACCEPTED";
    }
}
