package io.github.distlock.tests;

import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The nearest to a process if no other process can reach the store: a client in this JVM. While it is suspended, and
 * after its end, its messages are lost. After {@code leave} it ends when all threads that it has started are daemons.
 */
final class SimulatedProgram implements Program {
    private static final Duration PATIENCE = Duration.ofSeconds(20);

    private final Network network;
    private final LockProgram program;
    private final ThreadGroup threads = new ThreadGroup("program");
    private final ExecutorService main = Executors.newSingleThreadExecutor(work -> {
        Thread thread = new Thread(threads, work, "main");
        thread.setDaemon(true);
        return thread;
    });
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private boolean closesAtItsEnd;
    private @Nullable String ending;

    SimulatedProgram(Network network, String name, Duration lease) {
        this.network = network;
        this.program = new LockProgram(network.client(), name, lease);
    }

    @Override
    public void tell(String command) {
        switch (command) {
            case "hook" -> closesAtItsEnd = true;
            case "exit", "leave" -> end(command);
            default -> main.execute(() -> answers.add(answer(command)));
        }
    }

    private void end(String how) {
        if (closesAtItsEnd) {
            program.close();
        }
        kill();
        ending = how;
    }

    private String answer(String command) {
        try {
            return program.answer(command);
        } catch (Exception e) {
            return e.toString();
        }
    }

    @Override
    public String answer() {
        try {
            String answer = answers.poll(PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
            return Objects.requireNonNullElse(answer, "no answer");
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return e.toString();
        }
    }

    @Override
    public void suspend() {
        network.silence();
    }

    /** Runs earlier commands first, so that they see what the client knows before any message arrives. */
    @Override
    public void resume() {
        main.execute(network::heal);
    }

    @Override
    public void kill() {
        network.silence();
    }

    @Override
    public boolean isAlive() {
        return ending == null || (ending.equals("leave") && !areAllDaemons());
    }

    private boolean areAllDaemons() {
        Thread[] alive = new Thread[threads.activeCount() + 10];
        int count = threads.enumerate(alive);
        return Arrays.stream(alive, 0, count).allMatch(Thread::isDaemon);
    }

    @Override
    public void close() {
        main.shutdownNow();
        program.close();
    }
}
