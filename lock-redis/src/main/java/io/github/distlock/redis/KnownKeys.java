package io.github.distlock.redis;

import java.util.function.Function;

/**
 * The keys of locks that were used lately. Otherwise each acquire would encode its keys again. Names may share an
 * entry, and a thread may read an old value: keys never change, and their fields are final.
 */
final class KnownKeys {
    private static final int ENTRIES = 1 << 10;

    private final Function<String, LockKeys> keysOf;
    private final LockKeys[] entries = new LockKeys[ENTRIES];

    /**
     * Makes a table without keys.
     *
     * @param keysOf makes the keys of a name
     */
    KnownKeys(Function<String, LockKeys> keysOf) {
        this.keysOf = keysOf;
    }

    LockKeys of(String name) {
        int index = name.hashCode() & (ENTRIES - 1);
        LockKeys known = entries[index];
        if (known == null || !known.name.equals(name)) {
            known = keysOf.apply(name);
            entries[index] = known;
        }
        return known;
    }
}
