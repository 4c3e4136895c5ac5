package io.github.distlock.simulator;

import io.github.distlock.spi.Deadline;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Calls of one process to one server, over a few connections. So a late call may overtake another one. Used by threads
 * of the process and by events, of which one runs at a time.
 */
final class ServerCalls {
    private static final int CONNECTIONS = 2;

    private final Simulation simulation;
    private final Network network;
    private final SimulatedProcess client;
    private final SimulatedServer server;
    private final BooleanSupplier losesAnswer;
    private final List<@Nullable Line> lines = new ArrayList<>();
    private int losses;

    /** One connection, and the calls that have no answer yet. */
    private static final class Line {
        private final Connection connection;
        private final List<CompletableFuture<?>> unanswered = new ArrayList<>();

        Line(Connection connection) {
            this.connection = connection;
        }
    }

    /** What the server does for a call. */
    interface Call<T> {
        T run() throws InterruptedException;
    }

    /**
     * Opens no connection yet.
     *
     * @param losesAnswer returns whether the connection breaks in place of the next answer
     */
    ServerCalls(
            Simulation simulation,
            Network network,
            SimulatedProcess client,
            SimulatedServer server,
            BooleanSupplier losesAnswer) {
        this.simulation = simulation;
        this.network = network;
        this.client = client;
        this.server = server;
        this.losesAnswer = losesAnswer;
        for (int i = 0; i < CONNECTIONS; i++) {
            lines.add(null);
        }
    }

    /** Calls the server and waits for its answer. */
    <T> T call(Deadline deadline, Call<T> call) throws InterruptedException {
        CompletableFuture<T> answer = new CompletableFuture<>();
        Line line = line(simulation.random().nextInt(CONNECTIONS));
        line.unanswered.add(answer);
        line.connection.toServer(() -> server.serve(() -> {
            Runnable reply = run(call, answer);
            if (losesAnswer.getAsBoolean()) {
                line.connection.breakOff();
                return;
            }
            line.connection.toClient(() -> {
                line.unanswered.removeIf(waiting -> waiting == answer);
                reply.run();
            });
        }));
        try {
            return answer.get(deadline.remainingNanos(), TimeUnit.NANOSECONDS);
        } catch (ExecutionException e) {
            if (e.getCause() instanceof RuntimeException thrown) {
                throw thrown;
            }
            throw new IllegalStateException(e.getCause());
        } catch (TimeoutException e) {
            throw new IllegalStateException("the server did not answer in time", e);
        }
    }

    private static <T> Runnable run(Call<T> call, CompletableFuture<T> answer) {
        try {
            T result = call.run();
            return () -> answer.complete(result);
        } catch (RuntimeException | InterruptedException e) {
            return () -> answer.completeExceptionally(e);
        }
    }

    /** Sends a message from the server, over the connection for messages. It is lost if that breaks. */
    void push(Runnable arrival) {
        line(0).connection.toClient(arrival);
    }

    private Line line(int index) {
        Line line = lines.get(index);
        if (line == null) {
            Line opened = new Line(network.connect(client.name(), server.name()));
            lines.set(index, opened);
            opened.connection.onBrokenForClient(() -> end(index, opened));
            line = opened;
        }
        return line;
    }

    private void end(int index, Line line) {
        losses++;
        if (lines.get(index) == line) {
            lines.set(index, null);
        }
        line.unanswered.forEach(
                answer -> answer.completeExceptionally(new IllegalStateException("the connection was lost")));
    }

    /** Returns how often a connection was lost, as far as the client knows. */
    int losses() {
        return losses;
    }

    /** Breaks all connections. */
    void breakOff() {
        for (Line line : lines) {
            if (line != null) {
                line.connection.breakOff();
            }
        }
    }
}
