package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * The contenders of one lock, as a listing of its directory shows them. Their names alone say who holds the lock.
 *
 * <h2>Invariant</h2>
 *
 * The holders are the first contenders: the longest beginning of the queue whose members may hold the lock together.
 * These are any first contender, consecutive readers, or consecutive permits that each fit the limit of their own
 * client. So every contender is served in its order, and a small request never overtakes a large one.
 *
 * <h2>Why it is safe</h2>
 *
 * Whether a contender holds the lock depends only on the nodes before its own. The server gives rising numbers to the
 * nodes of a directory. So nodes before a contender only go. The exception is a writer that becomes a reader: its new
 * node has the number of the old one, and shares the lock with more contenders. So a contender that holds the lock in
 * one listing holds it in each later one, and all clients agree about it. The node of a {@link KeptLock} takes the
 * place of the first one, and lets nobody in.
 *
 * <h2>Kinds</h2>
 *
 * The first node of a known kind says what the name is used as. A contender of another kind behind it is refused. Until
 * its client has deleted its node, that node blocks others like a node that this client does not know.
 *
 * @param names the names of the nodes, in the order of their sequence numbers
 */
record LockQueue(List<String> names) {

    /** Makes the queue of a directory with some children. A {@link Companion} is not in it while its holder is. */
    static LockQueue of(List<String> children) {
        List<String> names = Sequence.inOrder(children);
        names.removeIf(name -> NodeName.isKept(name) && children.contains(NodeName.accompanied(name)));
        return new LockQueue(names);
    }

    /** What contenders from the first on have together. */
    private static final class Holders {
        private int count;
        private LockMode.@Nullable Kind shared;
        private long permits;

        /** Adds the next contender, and returns whether it may hold the lock together with those before it. */
        boolean add(@Nullable LockMode next) {
            LockMode mode = next == null ? LockMode.EXCLUSIVE : next;
            boolean fits = switch (mode.kind()) {
                case EXCLUSIVE, WRITE -> count == 0;
                case READ -> count == 0 || shared == LockMode.Kind.READ;
                case PERMITS ->
                    count == 0 || (shared == LockMode.Kind.PERMITS && permits + mode.count() <= mode.limit());
            };
            if (fits) {
                count++;
                shared = mode.kind();
                permits += mode.count();
            }
            return fits;
        }

        void addAll(List<String> contenders) {
            for (String contender : contenders) {
                if (!add(NodeName.mode(contender))) {
                    return;
                }
            }
        }
    }

    boolean isEmpty() {
        return names.isEmpty();
    }

    /** Returns the position of a contender from 0 on, or a negative number if it is not in the queue. */
    int position(String name) {
        return names.indexOf(name);
    }

    /** Returns whether there are contenders behind a position. */
    boolean hasMoreThan(int position) {
        return position + 1 < names.size();
    }

    /** Returns whether a position is behind a {@link KeptLock}, which is the first node. */
    boolean isBehindKept(int position) {
        return position > 0 && NodeName.isKept(names.get(0));
    }

    /** Returns whether a {@link KeptLock} is the first node, or may take the place of a node. */
    boolean mayBeKept() {
        return names.stream().anyMatch(NodeName::mayBeKept);
    }

    /** Returns whether a position is next to the node of a sticky lock, which is the first node. */
    boolean isNextToSticky(int position) {
        return position == 1 && NodeName.isSticky(names.get(0));
    }

    /** Returns the names of the nodes that hold the lock. A {@link KeptLock} holds it like a contender. */
    List<String> holders() {
        Holders holders = new Holders();
        holders.addAll(names);
        return names.subList(0, holders.count);
    }

    /** Returns whether a contender with a position and a mode holds the lock. It need not have a node yet. */
    boolean isHolder(int position, LockMode mode) {
        Holders before = new Holders();
        before.addAll(names.subList(0, position));
        return before.count == position && before.add(mode);
    }

    /**
     * Returns what a contender watches that does not hold the lock. A reader watches the last node before its own that
     * is no reader's. The first contender that waits for permits watches the directory, because each holder may free
     * some. Every other contender watches its predecessor.
     *
     * @return the path of a node before the contender's own, or that of the directory
     */
    String watched(String directory, int position, LockMode mode) {
        int watched = position - 1;
        switch (mode.kind()) {
            case READ -> {
                while (NodeName.isReader(names.get(watched))) {
                    watched--;
                }
            }
            case PERMITS -> {
                if (holders().size() >= position) {
                    return directory;
                }
            }
            default -> {}
        }
        return directory + "/" + names.get(watched);
    }

    /** Returns what the nodes before a position say that the name is used as. */
    Optional<LockKind> kindBefore(int position) {
        for (String name : names.subList(0, position)) {
            LockMode mode = NodeName.mode(name);
            if (mode != null) {
                return Optional.of(mode.lockKind());
            }
        }
        return Optional.empty();
    }

    /** Returns the name of a node of a kind that this client does not know. */
    Optional<String> unknown() {
        for (String name : names) {
            if (NodeName.mode(name) == null) {
                return Optional.of(name);
            }
        }
        return Optional.empty();
    }

    /** Returns a limit of permits that differs from that of a mode. */
    Optional<Integer> otherLimit(LockMode mode) {
        return names.stream()
                .map(NodeName::mode)
                .filter(other ->
                        other != null && other.kind() == LockMode.Kind.PERMITS && other.limit() != mode.limit())
                .map(LockMode::limit)
                .findFirst();
    }
}
