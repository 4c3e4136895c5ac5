package io.github.distlock.tests.history;

import io.github.distlock.spi.Capability;
import io.github.distlock.spi.LockKind;
import io.github.distlock.spi.LockMode;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/** Writes modes in notes of events, and says which of them may be held at the same time. */
final class Mode {
    private Mode() {}

    /** Returns the mode as words, or nothing for an exclusive lock, as earlier revisions write. */
    static String words(LockMode mode) {
        return switch (mode.kind()) {
            case EXCLUSIVE -> "";
            case READ, WRITE -> " " + mode.kind();
            case PERMITS -> " " + mode.kind() + " " + mode.count() + " " + mode.limit();
        };
    }

    /** Returns the mode after the first word of a note. */
    static LockMode parse(String note) {
        String[] words = note.split(" ", -1);
        LockMode.Kind kind = words.length == 1 ? LockMode.Kind.EXCLUSIVE : LockMode.Kind.valueOf(words[1]);
        return switch (kind) {
            case EXCLUSIVE -> LockMode.EXCLUSIVE;
            case READ -> LockMode.READ;
            case WRITE -> LockMode.WRITE;
            case PERMITS -> LockMode.permits(Integer.parseInt(words[2]), Integer.parseInt(words[3]));
        };
    }

    /** Returns whether one hold excludes all others of its lock. */
    static boolean isAlone(LockMode mode) {
        return mode.kind() == LockMode.Kind.EXCLUSIVE || mode.kind() == LockMode.Kind.WRITE;
    }

    /** Returns whether two holds of one lock may exist at the same time, beside no other. */
    static boolean fit(LockMode one, LockMode other) {
        boolean sameKind = one.lockKind() == other.lockKind();
        boolean few = one.count() + other.count() <= Math.max(one.limit(), other.limit());
        return sameKind && !isAlone(one) && !isAlone(other) && (one.lockKind() != LockKind.SEMAPHORE || few);
    }

    /** Returns the kinds of modes that a store with these capabilities has. */
    static List<LockMode.Kind> of(Set<Capability> capabilities) {
        return Arrays.stream(LockMode.Kind.values())
                .filter(kind -> switch (kind) {
                    case EXCLUSIVE -> true;
                    case READ, WRITE -> capabilities.contains(Capability.READ_WRITE);
                    case PERMITS -> capabilities.contains(Capability.PERMITS);
                })
                .toList();
    }
}
