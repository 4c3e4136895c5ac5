package io.github.distlock.simulator.zookeeper;

import io.github.distlock.simulator.World;
import io.github.distlock.simulator.zookeeper.Transaction.Change;
import io.github.distlock.simulator.zookeeper.Transaction.Creation;
import io.github.distlock.simulator.zookeeper.Transaction.Deletion;
import io.github.distlock.simulator.zookeeper.Transaction.Writing;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Other programs that use the nodes of locks, as far as the library must cope with them: an operator who deletes the
 * node of a waiter or writes the data of a node, and a lock of Curator.
 */
final class OtherPrograms {
    private static final long POLL = 50_000_000;
    private static final int DIGITS = 10;
    private static final Pattern CONTENDER =
            Pattern.compile("(.*_c_.*-(lock-|permits-\\d+-\\d+-|__READ__|__WRIT__))\\d{10}");
    private static final String KEPT = "-kept-lock-";
    private static final String DELAYED = "-delay-lock-";
    private static final byte[] ADDRESS = "192.0.2.1".getBytes(StandardCharsets.UTF_8);

    private final World world;
    private final Ensemble ensemble;
    private final Set<String> foreign = new TreeSet<>();
    private boolean ended;

    /** A node of a directory, with its number. */
    private record Contender(String path, String kind, long number) {
        boolean isExclusive() {
            return (kind.endsWith("lock-") || kind.endsWith("__WRIT__")) && !kind.endsWith(KEPT);
        }
    }

    OtherPrograms(World world, Ensemble ensemble) {
        this.world = world;
        this.ensemble = ensemble;
    }

    /** Returns whether a node is that of another program. */
    boolean own(String path) {
        return foreign.contains(path);
    }

    /** Returns whether another program has ever had a place in a queue. No user knows how long it has a lock. */
    boolean haveLocked() {
        return !foreign.isEmpty();
    }

    /** An operator deletes the node of a waiter, or writes the data of a node. */
    void changeNode(long choice) {
        if (choice % 2 == 0) {
            deleteWaiter(choice / 2);
        } else {
            write(choice / 2);
        }
    }

    private void deleteWaiter(long choice) {
        ensemble.change(tree -> {
            List<Contender> waiters = new ArrayList<>();
            for (List<Contender> queue : queues(tree)) {
                queue.stream()
                        .filter(each -> each.isExclusive() && each.number > queue.get(0).number && !own(each.path))
                        .forEach(waiters::add);
            }
            if (waiters.isEmpty()) {
                return List.of();
            }
            String path = waiters.get((int) (choice % waiters.size())).path;
            world.trace("operator", () -> "deletes the node of a waiter, " + path);
            return List.of(new Deletion(path));
        });
    }

    /** Writes the data of the first node of a queue, without a change. */
    private void write(long choice) {
        ensemble.change(tree -> {
            List<List<Contender>> queues = queues(tree);
            // The time of a kept lock counts from its last write.
            queues.removeIf(queue -> queue.get(0).kind.endsWith(KEPT));
            if (queues.isEmpty()) {
                return List.of();
            }
            String path = queues.get((int) (choice % queues.size())).get(0).path;
            world.trace("operator", () -> "writes the data of " + path);
            Node node = tree.get(path);
            return node == null ? List.of() : List.of(new Writing(path, node.data));
        });
    }

    /** Returns whether a queue begins with a lock that may outlast its holder. */
    private static boolean mayBeKept(List<Contender> queue) {
        String kind = queue.get(0).kind;
        return kind.endsWith(KEPT) || kind.endsWith(DELAYED);
    }

    /** Acquires a lock as Curator does, and releases it some time after its grant. Prefers locks that may be kept. */
    void acquire(long choice, long hold) {
        ensemble.change(tree -> {
            List<List<Contender>> queues = queues(tree);
            queues.removeIf(queue -> !queue.get(0).kind.endsWith("lock-"));
            if (queues.isEmpty()) {
                return List.of();
            }
            if (choice % 3 > 0 && queues.stream().anyMatch(OtherPrograms::mayBeKept)) {
                queues.removeIf(queue -> !mayBeKept(queue));
            }
            String directory =
                    Tree.parent(queues.get((int) (choice % queues.size())).get(0).path);
            Node parent = tree.get(directory);
            if (parent == null) {
                return List.of();
            }
            String path = String.format(Locale.ROOT, "%s/_c_%036x-lock-%010d", directory, choice, parent.creations);
            world.trace("curator", () -> "creates " + path);
            foreign.add(path);
            world.at(world.nanoTime() + POLL, () -> await(path, hold));
            return List.of(new Creation(path, ADDRESS, 0));
        });
    }

    /** The other programs end, and none of them keeps its place in a queue. */
    void end() {
        ended = true;
        ensemble.change(tree -> foreign.stream()
                .filter(path -> tree.get(path) != null)
                .<Change>map(Deletion::new)
                .toList());
        world.at(world.nanoTime() + POLL, this::end);
    }

    private void await(String path, long hold) {
        if (ended) {
            return;
        }
        boolean[] holds = {false};
        ensemble.change(tree -> {
            holds[0] = tree.get(path) != null
                    && number(contenders(tree, Tree.parent(path)).get(0).path) == number(path);
            return List.of();
        });
        world.at(world.nanoTime() + (holds[0] ? hold : POLL), holds[0] ? () -> release(path) : () -> await(path, hold));
        if (holds[0]) {
            world.trace("curator", () -> "holds " + path);
        }
    }

    private static long number(String path) {
        return Long.parseLong(path.substring(path.length() - DIGITS));
    }

    /** Looks again and again: a leader that is deposed without noticing it may have lost the node, or its deletion. */
    private void release(String path) {
        if (ended) {
            return;
        }
        ensemble.change(tree -> {
            if (tree.get(path) == null) {
                return List.of();
            }
            world.trace("curator", () -> "deletes " + path);
            return List.of(new Deletion(path));
        });
        world.at(world.nanoTime() + POLL, () -> release(path));
    }

    private static List<List<Contender>> queues(Tree tree) {
        List<List<Contender>> queues = new ArrayList<>();
        for (String path : tree.paths()) {
            List<Contender> contenders = contenders(tree, path);
            if (!contenders.isEmpty()) {
                queues.add(contenders);
            }
        }
        return queues;
    }

    private static List<Contender> contenders(Tree tree, String directory) {
        Node node = tree.get(directory);
        List<Contender> contenders = new ArrayList<>();
        if (node != null) {
            for (String child : node.children) {
                Matcher matcher = CONTENDER.matcher(child);
                if (matcher.matches()) {
                    contenders.add(new Contender(directory + "/" + child, matcher.group(1), number(child)));
                }
            }
        }
        contenders.sort(Comparator.comparingLong(Contender::number).thenComparing(Contender::path));
        return contenders;
    }
}
