package io.github.distlock.tests.servers;

import io.github.distlock.tests.waiting.Waiting;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/** A server on a {@link Machine}; starting it returns when it answers. */
abstract class MachineServer implements Server {
    private static final Duration START = Duration.ofSeconds(60);
    private static final int TIMEOUT_MILLIS = 1_000;
    /** How long a server may take that is starved, and not paused. */
    static final int LONG_TIMEOUT_MILLIS = 10_000;

    private final Machine machine;
    private volatile boolean paused;

    MachineServer(Machine machine) {
        this.machine = machine;
    }

    /** Returns whether the server answers requests now. */
    abstract boolean answers();

    /** Returns what the server replies before it closes the connection; empty if it does not within 1 s. */
    final String ask(String request) {
        return ask(request, TIMEOUT_MILLIS);
    }

    /** Returns what the server replies before it closes the connection; empty if it does not in time. */
    final String ask(String request, int timeoutMillis) {
        try (Socket socket = new Socket()) {
            socket.connect(new InetSocketAddress(host(), port()), timeoutMillis);
            socket.setSoTimeout(timeoutMillis);
            socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
            // Both products answer what they have read, and then close the connection. Sentinels of Redis 7 and later
            // know no QUIT.
            socket.shutdownOutput();
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            return "";
        }
    }

    /** Starts the machine. The server may not answer yet when this returns. */
    final void launch() {
        machine.start();
    }

    final void awaitReady() {
        boolean ready = Waiting.untilHoweverLong(START, () -> answers() || !machine.isRunning());
        if (!ready || !machine.isRunning()) {
            String output = output();
            boolean ended = !machine.isRunning();
            machine.kill();
            throw new IllegalStateException(this + (ended ? " ended instead of answering" : " does not answer") + " on "
                    + address() + ". It wrote:\n" + output);
        }
    }

    /** Starts the server, and closes it if it does not answer. */
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
