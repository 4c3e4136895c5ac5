package io.github.distlock.simulator;

import io.github.distlock.memory.InMemoryStore;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/** The store in memory of {@code lock-api}, behind the simulated network: for faults of the engine alone. */
final class MemoryStore implements SimulatedStore {
    private static final long LONGEST_PAUSE = 4_000_000_000L;
    private static final long LONGEST_SILENCE = 10_000_000_000L;
    private static final int LOST_ONE_OF = 4;

    private final Simulation simulation;
    private final Network network;
    private final SimulatedServer server;
    private final List<InMemoryStore> store = new ArrayList<>(1);
    private final List<ServerCalls> calls = new ArrayList<>();
    private long silentUntil;
    private long answersLostUntil;

    MemoryStore(Simulation simulation, Network network) {
        this.simulation = simulation;
        this.network = network;
        server = new SimulatedServer(simulation, "memory");
        server.serve(() -> store.add(new InMemoryStore()));
    }

    private InMemoryStore store() {
        return store.get(0);
    }

    @Override
    public LockBackend backend(SimulatedProcess process) {
        ServerCalls own = new ServerCalls(simulation, network, process, server, this::losesAnswer);
        calls.add(own);
        return new RemoteBackend(store().connect(), own, this::losesSignals);
    }

    private boolean losesSignals() {
        return silentUntil > simulation.nanoTime() && simulation.random().nextBoolean();
    }

    private boolean losesAnswer() {
        return answersLostUntil > simulation.nanoTime() && simulation.random().nextInt(LOST_ONE_OF) == 0;
    }

    @Override
    public List<String> servers() {
        return List.of(server.name());
    }

    @Override
    public Duration longestExpiry() {
        return Duration.ofSeconds(3);
    }

    @Override
    public List<String> faults() {
        return List.of("pause of the server", "break of connections", "loss of signals", "loss of answers");
    }

    @Override
    public List<String> excludedFaults() {
        return List.of();
    }

    @Override
    public long strike(String fault, long choice) {
        long now = simulation.nanoTime();
        switch (fault) {
            case "pause of the server" -> {
                server.pause(choice % LONGEST_PAUSE);
                return now + choice % LONGEST_PAUSE;
            }
            case "break of connections" -> {
                if (!calls.isEmpty()) {
                    calls.get((int) (choice % calls.size())).breakOff();
                }
                return now;
            }
            case "loss of signals" -> {
                silentUntil = now + choice % LONGEST_SILENCE;
                return silentUntil;
            }
            case "loss of answers" -> {
                answersLostUntil = now + choice % LONGEST_SILENCE;
                return answersLostUntil;
            }
            default -> throw new IllegalArgumentException(fault);
        }
    }

    @Override
    public void heal() {
        server.resume();
        silentUntil = 0;
        answersLostUntil = 0;
    }

    @Override
    public List<String> leftovers() {
        List<String> found = new ArrayList<>();
        server.serve(() -> {
            if (store().size() > 0) {
                found.add(store().size() + " locks are held or waited for");
            }
        });
        return found;
    }
}
