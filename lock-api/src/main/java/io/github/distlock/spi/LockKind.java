package io.github.distlock.spi;

/** What a name is used as. A name has one kind, for as long as the store knows anything of it. */
public enum LockKind {
    /** An exclusive lock. */
    LOCK("lock"),
    /** A read-write lock. */
    READ_WRITE_LOCK("read-write lock"),
    /** A semaphore. */
    SEMAPHORE("semaphore");

    private final String words;

    LockKind(String words) {
        this.words = words;
    }

    /**
     * Returns the kind in words.
     *
     * @return as in "a semaphore", without the article
     */
    @Override
    public String toString() {
        return words;
    }
}
