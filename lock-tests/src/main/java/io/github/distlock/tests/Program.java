package io.github.distlock.tests;

/** A client in a process of its own, which does what it is told in lines: see {@link LockProgram}. */
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
