package io.github.distlock.tests.servers;

import java.time.Duration;

/** What all servers share: their machine, and that a start ends when the server answers. */
abstract class MachineServer implements Server {
    private static final Duration START = Duration.ofSeconds(60);

    private final Machine machine;
    private volatile boolean paused;

    MachineServer(Machine machine) {
        this.machine = machine;
    }

    /** Whether it answers requests now. */
    abstract boolean answers();

    /** Starts the machine only: the server may not answer yet. */
    final void launch() {
        machine.start();
    }

    final void awaitReady() {
        boolean ready = Waiting.until(START, () -> answers() || !machine.isRunning());
        if (!ready || !machine.isRunning()) {
            String output = output();
            boolean ended = !machine.isRunning();
            machine.kill();
            throw new IllegalStateException(this + (ended ? " ended instead of answering" : " does not answer") + " on "
                    + address() + ". It wrote:\n" + output);
        }
    }

    /** For the factories: a server that does not start leaves nothing. */
    final void startOrClose() {
        try {
            launch();
            awaitReady();
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    @Override
    public final String host() {
        return machine.host();
    }

    @Override
    public final int port() {
        return machine.port();
    }

    @Override
    public final boolean isRunning() {
        return machine.isRunning();
    }

    @Override
    public final String output() {
        return machine.output();
    }

    @Override
    public final void pause() {
        machine.pause();
        paused = true;
    }

    @Override
    public final void resume() {
        if (paused) {
            paused = false;
            machine.resume();
        }
    }

    @Override
    public final void kill() {
        paused = false;
        machine.kill();
    }

    @Override
    public void restart(boolean withData) {
        end(withData);
        launch();
        awaitReady();
    }

    final void end(boolean withData) {
        if (isRunning()) {
            resume();
            machine.stop();
        }
        paused = false;
        if (!withData) {
            machine.eraseData();
        }
    }

    @Override
    public final void close() {
        machine.close();
    }
}
