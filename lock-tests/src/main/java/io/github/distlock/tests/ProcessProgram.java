package io.github.distlock.tests;

import io.github.distlock.tests.servers.ChildProgram;
import java.time.Duration;

/** A real process. */
record ProcessProgram(ChildProgram process) implements Program {
    /** A JVM has to start first, which takes long beside busy processes. */
    private static final Duration PATIENCE = Duration.ofMinutes(3);

    @Override
    public void tell(String command) {
        process.send(command);
    }

    @Override
    public String answer() {
        return process.awaitLine(LockProgram.ANSWER, PATIENCE).substring(LockProgram.ANSWER.length());
    }

    @Override
    public void suspend() {
        process.suspend();
    }

    @Override
    public void resume() {
        process.resume();
    }

    @Override
    public void kill() {
        process.kill();
    }

    @Override
    public boolean isAlive() {
        return process.isAlive();
    }

    @Override
    public void close() {
        process.close();
    }
}
