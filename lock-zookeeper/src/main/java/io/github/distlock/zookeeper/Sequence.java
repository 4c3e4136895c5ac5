package io.github.distlock.zookeeper;

import java.util.ArrayList;
import java.util.List;

/**
 * The number that ZooKeeper appends to the name of a sequential node: ten digits, counted for each parent. Every child
 * with such a number is a contender, also a child that another library has created: Curator's
 * {@code …-lock-0000000007}, kazoo's {@code …__lock__0000000007}.
 */
final class Sequence {
    /**
     * The last number that a contender may have. ZooKeeper counts in an {@code int}: negative numbers follow
     * 2<sup>31</sup> − 1, and break the order. The distance leaves time for nodes that contenders create in between.
     */
    static final long LAST = Integer.MAX_VALUE - 1_000_000L;

    static final int DIGITS = 10;
    private static final long NONE = -1;

    private Sequence() {}

    /** Returns the number of a child, or a negative number if the name has none. */
    static long of(String name) {
        int begin = name.length() - DIGITS;
        if (begin < 0) {
            return NONE;
        }
        long number = 0;
        for (int i = begin; i < name.length(); i++) {
            char digit = name.charAt(i);
            if (digit < '0' || digit > '9') {
                return NONE;
            }
            number = number * 10 + (digit - '0');
        }
        return number;
    }

    /**
     * Returns the contenders among some children, in the order of their numbers. If a writer takes the read lock, too,
     * Curator gives both of its nodes the same number. The writer's node comes first then.
     */
    static List<String> inOrder(List<String> children) {
        List<String> contenders = new ArrayList<>(children);
        contenders.removeIf(child -> of(child) == NONE);
        contenders.sort(Sequence::compare);
        return contenders;
    }

    private static int compare(String one, String other) {
        int byNumber = Long.compare(of(one), of(other));
        return byNumber != 0 ? byNumber : Boolean.compare(NodeName.isReader(one), NodeName.isReader(other));
    }
}
