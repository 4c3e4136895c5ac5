package io.github.distlock.zookeeper;

import io.github.distlock.spi.LockMode;
import io.github.distlock.spi.LockRequest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The name of a contender's node. It says how the contender wants to share the lock:
 *
 * <pre>{@code
 * _c_<guid>-lock-<sequence>                      an exclusive lock, as Curator's InterProcessMutex
 * _c_<guid>-sticky-lock-<sequence>               the same; single tries notify its client, too
 * _c_<guid>-minimum-lock-<sequence>              the same; a release may put the next one in its place
 * _c_<guid>-delay-lock-<sequence>                the same; has a Companion while it holds the lock
 * _c_<guid>-kept-lock-<sequence>                 no contender, but a KeptLock or a Companion
 * _c_<guid>-__READ__<sequence>                   a reader, as Curator's InterProcessReadWriteLock
 * _c_<guid>-__WRIT__<sequence>                   a writer, as Curator's InterProcessReadWriteLock
 * _c_<guid>-permits-<count>-<limit>-<sequence>   some permits, and the limit of its client
 * }</pre>
 */
final class NodeName {
    private static final String MUTEX = "lock-";
    private static final String PLAIN = "-lock-";
    private static final String STICKY = "-sticky-lock-";
    private static final String MINIMUM = "-minimum-lock-";
    private static final String DELAYED = "-delay-lock-";
    private static final String KEPT = "-kept-lock-";
    private static final String KAZOO = "__lock__";
    private static final String READ = "__READ__";
    private static final String WRITE = "__WRIT__";
    private static final String PERMITS = "-permits-";
    private static final Pattern NUMBERS = Pattern.compile("-permits-(\\d{1,10})-(\\d{1,10})-\\d{10}$");

    private NodeName() {}

    /** Returns the name of a new node without its sequence number. */
    static String prefix(String guid, LockRequest request) {
        if (request.isSticky()) {
            return "_c_" + guid + STICKY;
        }
        if (!request.lockDelay().isZero()) {
            return "_c_" + guid + DELAYED;
        }
        return request.minimumHold().isZero() ? prefix(guid, request.mode()) : "_c_" + guid + MINIMUM;
    }

    static String prefix(String guid, LockMode mode) {
        String kind = switch (mode.kind()) {
            case EXCLUSIVE -> PLAIN;
            case READ -> "-" + READ;
            case WRITE -> "-" + WRITE;
            case PERMITS -> PERMITS + mode.count() + "-" + mode.limit() + "-";
        };
        return "_c_" + guid + kind;
    }

    /** Returns what the contender of a numbered node wants, or null if this client does not know such nodes. */
    static @Nullable LockMode mode(String name) {
        if (hasKind(name, MUTEX) || hasKind(name, KAZOO)) {
            return LockMode.EXCLUSIVE;
        }
        if (isReader(name)) {
            return LockMode.READ;
        }
        if (hasKind(name, WRITE)) {
            return LockMode.WRITE;
        }
        Matcher numbers = NUMBERS.matcher(name);
        return numbers.find() ? permits(Long.parseLong(numbers.group(1)), Long.parseLong(numbers.group(2))) : null;
    }

    private static @Nullable LockMode permits(long count, long limit) {
        return count < 1 || limit < count || limit > Integer.MAX_VALUE
                ? null
                : LockMode.permits((int) count, (int) limit);
    }

    /**
     * Returns whether a name is that of a node of an exclusive lock, in Curator's layout or ours. No client creates
     * such a node with a number that it chooses, and no other node takes its place.
     */
    static boolean isPlain(String name) {
        return hasKind(name, PLAIN) && !mayBeKept(name);
    }

    /** Returns whether a name is that of a {@link KeptLock}, or of a node whose place one may take. */
    static boolean mayBeKept(String name) {
        return hasKind(name, MINIMUM) || isDelayed(name) || isKept(name);
    }

    /** Returns whether a name is that of the node of a sticky lock. */
    static boolean isSticky(String name) {
        return hasKind(name, STICKY);
    }

    /** Returns whether a name is that of the node of a lock with a lock delay. */
    static boolean isDelayed(String name) {
        return hasKind(name, DELAYED);
    }

    /** Returns whether a name is that of the node of a {@link KeptLock} or a {@link Companion}. */
    static boolean isKept(String name) {
        return hasKind(name, KEPT);
    }

    /** Returns the path of the kept node that belongs to a holder's node, and has its number. */
    static String kept(String holder) {
        return withKind(holder, isDelayed(holder) ? DELAYED : MINIMUM, KEPT);
    }

    /** Returns the name of the holder's node whose {@link Companion} a kept node is, unless that is a kept lock. */
    static String accompanied(String kept) {
        return withKind(kept, KEPT, DELAYED);
    }

    static boolean isReader(String name) {
        return hasKind(name, READ);
    }

    /** Returns the path of the reader's node that takes the place of a writer's node, and has its number. */
    static String reader(String writer) {
        return withKind(writer, WRITE, READ);
    }

    private static String withKind(String name, String kind, String other) {
        int number = name.length() - Sequence.DIGITS;
        return name.substring(0, number - kind.length()) + other + name.substring(number);
    }

    private static boolean hasKind(String name, String kind) {
        return name.startsWith(kind, name.length() - kind.length() - Sequence.DIGITS);
    }
}
