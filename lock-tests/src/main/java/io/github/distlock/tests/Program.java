package io.github.distlock.tests;

/** A client in a process of its own, which obeys commands, one in each line: see {@link LockProgram}. */
interface Program extends AutoCloseable {
    void tell(String command);

    /** Waits for the answer to the first command that has none yet. */
    String answer();

    void suspend();

    void resume();

    void kill();

    boolean isAlive();

    @Override
    void close();
}
