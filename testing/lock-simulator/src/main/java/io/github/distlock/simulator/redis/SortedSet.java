package io.github.distlock.simulator.redis;

import java.util.Arrays;

/**
 * The value of a sorted set: members by score, and by their bytes if their scores are equal. Immutable, so that a
 * {@link Keyspace} can go back to an earlier value. Sets are small, so it copies arrays and searches them linearly.
 */
final class SortedSet {
    static final SortedSet EMPTY = new SortedSet(new String[0], new double[0]);

    private final String[] members;
    private final double[] scores;

    private SortedSet(String[] members, double[] scores) {
        this.members = members;
        this.scores = scores;
    }

    /** Some members next to each other: from the first index to the second one, exclusively. */
    record Range(int from, int to) {
        int size() {
            return Math.max(0, to - from);
        }
    }

    /** Bounds of scores. */
    record Scores(double least, boolean withoutLeast, double most, boolean withoutMost) {
        private boolean isBelow(double score) {
            return withoutLeast ? score <= least : score < least;
        }

        private boolean isWithin(double score) {
            return !isBelow(score) && (withoutMost ? score < most : score <= most);
        }
    }

    int size() {
        return members.length;
    }

    String member(int index) {
        return members[index];
    }

    double score(int index) {
        return scores[index];
    }

    /** Returns the index of a member, or -1. */
    int indexOf(String member) {
        for (int i = 0; i < members.length; i++) {
            if (members[i].equals(member)) {
                return i;
            }
        }
        return -1;
    }

    Range within(Scores bounds) {
        int from = 0;
        while (from < scores.length && bounds.isBelow(scores[from])) {
            from++;
        }
        int to = from;
        while (to < scores.length && bounds.isWithin(scores[to])) {
            to++;
        }
        return new Range(from, to);
    }

    /** Returns a set that has a member with this score, which the member may have had with another one. */
    SortedSet with(String member, double score) {
        int known = indexOf(member);
        SortedSet others = known < 0 ? this : without(new Range(known, known + 1));
        int at = 0;
        while (at < others.size() && others.isBefore(at, member, score)) {
            at++;
        }
        String[] moreMembers = new String[others.size() + 1];
        double[] moreScores = new double[moreMembers.length];
        System.arraycopy(others.members, 0, moreMembers, 0, at);
        System.arraycopy(others.scores, 0, moreScores, 0, at);
        moreMembers[at] = member;
        moreScores[at] = score;
        System.arraycopy(others.members, at, moreMembers, at + 1, others.size() - at);
        System.arraycopy(others.scores, at, moreScores, at + 1, others.size() - at);
        return new SortedSet(moreMembers, moreScores);
    }

    private boolean isBefore(int index, String member, double score) {
        return scores[index] < score || (scores[index] == score && members[index].compareTo(member) < 0);
    }

    SortedSet without(Range range) {
        int left = size() - range.size();
        String[] fewerMembers = Arrays.copyOf(members, left);
        double[] fewerScores = Arrays.copyOf(scores, left);
        System.arraycopy(members, range.to, fewerMembers, range.from, left - range.from);
        System.arraycopy(scores, range.to, fewerScores, range.from, left - range.from);
        return new SortedSet(fewerMembers, fewerScores);
    }
}
