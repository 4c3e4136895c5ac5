package io.github.distlock.bench;

import io.github.distlock.bench.Peer.Servers;
import io.github.distlock.bench.PeerProgram.Result;
import io.github.distlock.bench.TestServers.Spent;
import io.github.distlock.tests.servers.ChildProgram;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The JVMs of one peer, and what can be measured with them. The figures are those of {@link Measurement}. */
final class Contender implements AutoCloseable {
    /** With both compilers, as an application has them: the child JVMs of tests have only the first one. */
    private static final List<String> JVM_OPTIONS = List.of("-XX:TieredStopAtLevel=4", "-Xmx512m", "-Xss256k");

    private static final Duration PATIENCE = Duration.ofMinutes(10);
    private static final long COLD_MILLIS = 1_000;
    private static final double STILL_RISING = 1.03;
    /** How many measurements in a row must not show a higher rate. */
    private static final int FLAT = 4;

    /** How long a waiter has waited when the lock is handed to it. */
    private static final long WAIT_MILLIS = 10;

    private final Peer peer;
    private final TestServers servers;
    private final Path flag;
    private final List<ChildProgram> programs = new ArrayList<>();

    /** Starts JVMs, each with the same number of clients. */
    Contender(Peer peer, int jvms, int clients, TestServers servers, Servers addresses, Path flag) {
        this.peer = peer;
        this.servers = servers;
        this.flag = flag;
        for (int jvm = 0; jvm < jvms; jvm++) {
            List<String> arguments = new ArrayList<>(
                    List.of(peer.name(), flag.toString(), Integer.toString(jvm), Integer.toString(clients)));
            arguments.addAll(addresses.arguments());
            programs.add(ChildProgram.start(JVM_OPTIONS, PeerProgram.class, arguments.toArray(new String[0])));
        }
    }

    Peer peer() {
        return peer;
    }

    /**
     * Measures until the rate stops rising, and returns the first measurement: that of the first second. The second JIT
     * compiler works in steps. So the rate has stopped only if several measurements in a row show no higher one. A
     * measurement of {@link Scenario.Kind#HANDOFF handoffs} has too few of them for this. So the JVMs acquire the lock
     * all the time while they warm up.
     */
    Map<String, Double> warmUp(Scenario scenario, int threads, long millis, int most) {
        Map<String, Double> cold = measure(scenario, threads, COLD_MILLIS);
        double best = 0;
        for (int i = 0, flat = 0; i < most && flat < FLAT; i++) {
            double now = rate(acquire(scenario.work(), threads, millis));
            flat = now > best * STILL_RISING ? 0 : flat + 1;
            best = Math.max(best, now);
        }
        return cold;
    }

    private static double rate(Map<String, Double> figures) {
        return figures.getOrDefault("perSecond", 0.0);
    }

    Map<String, Double> measure(Scenario scenario, int threads, long millis) {
        return scenario.kind() == Scenario.Kind.HANDOFF ? handOff(millis) : acquire(scenario.work(), threads, millis);
    }

    /** Has threads of each JVM acquire and release for a time. */
    private Map<String, Double> acquire(Work work, int threads, long millis) {
        Spent before = servers.spent(peer.deployment());
        start(work, threads, millis);
        List<Result> results = new ArrayList<>();
        for (ChildProgram program : programs) {
            results.add(Result.parse(program.nextLine(PATIENCE)));
        }
        return figures(results, servers.spent(peer.deployment()).since(before));
    }

    private void start(Work work, int threads, long millis) {
        programs.forEach(program -> program.send("run " + work + " " + threads + " " + millis));
    }

    private static Map<String, Double> figures(List<Result> results, Spent spent) {
        Waits waits = new Waits();
        List<Long> acquires = new ArrayList<>();
        double perSecond = 0;
        double clientSeconds = 0;
        double overlaps = 0;
        double losses = 0;
        for (Result result : results) {
            waits.add(result.waits());
            acquires.addAll(result.acquires());
            perSecond += result.waits().count() / result.seconds();
            clientSeconds += result.cpuSeconds();
            overlaps += result.overlaps();
            losses += result.losses();
        }
        Map<String, Double> figures = figures(waits, spent);
        figures.put("perSecond", perSecond);
        figures.put("clientCpu", clientSeconds * 1e6 / waits.count());
        figures.put("jain", jain(acquires));
        figures.put("overlaps", overlaps);
        figures.put("losses", losses);
        return figures;
    }

    private static Map<String, Double> figures(Waits waits, Spent spent) {
        double all = waits.count();
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("perSecond", 1e6 / waits.micros(0.5));
        figures.put("p50", waits.micros(0.5));
        figures.put("p99", waits.micros(0.99));
        figures.put("longest", waits.micros(1));
        figures.put("requests", spent.requests() / all);
        figures.put("commands", spent.commands() / all);
        figures.put("serverCpu", spent.cpuSeconds() * 1e6 / all);
        return figures;
    }

    /** Jain's index: 1 if all threads have had the same number of acquires. */
    private static double jain(List<Long> acquires) {
        double sum = acquires.stream().mapToLong(Long::longValue).sum();
        double squares =
                acquires.stream().mapToDouble(each -> (double) each * each).sum();
        return sum * sum / (acquires.size() * squares);
    }

    /** Has two JVMs hand the lock back and forth. Before each release, the next holder waits for some time. */
    private Map<String, Double> handOff(long millis) {
        Spent before = servers.spent(peer.deployment());
        ChildProgram holder = programs.get(0);
        ChildProgram waiter = programs.get(1);
        Waits waits = new Waits();
        holder.send("acquire");
        var unused = holder.nextLine(PATIENCE);
        long end = System.nanoTime() + millis * 1_000_000;
        while (System.nanoTime() - end < 0) {
            waiter.send("acquire");
            sleep(WAIT_MILLIS);
            holder.send("release");
            long released = Long.parseLong(holder.nextLine(PATIENCE));
            waits.add(Long.parseLong(waiter.nextLine(PATIENCE)) - released);
            ChildProgram former = holder;
            holder = waiter;
            waiter = former;
        }
        holder.send("release");
        unused = holder.nextLine(PATIENCE);
        return figures(waits, servers.spent(peer.deployment()).since(before));
    }

    /**
     * Has threads of each JVM acquire and release, stops the second JVM for longer than its lease, and then kills the
     * third. The figures are those of the others.
     */
    Map<String, Double> acquireDuringFaults(Scenario scenario, Duration lease) {
        long part = lease.toMillis() + 2_000;
        CriticalSection section = new CriticalSection(flag, 0);
        Spent before = servers.spent(peer.deployment());
        start(scenario.work(), scenario.threads(), 3 * part);
        sleep(part / 2);
        ChildProgram stopped = programs.get(1);
        stopped.suspend();
        section.clear(1);
        sleep(part);
        stopped.resume();
        sleep(part / 2);
        try (ChildProgram killed = programs.remove(2)) {
            killed.kill();
            section.clear(2);
        }
        List<Result> results = new ArrayList<>();
        for (ChildProgram program : programs) {
            results.add(Result.parse(program.nextLine(PATIENCE)));
        }
        return figures(results, servers.spent(peer.deployment()).since(before));
    }

    /** Has the JVM hold locks, and measures what they cost after a time. */
    Map<String, Double> hold(int locks, long settleMillis, long millis) {
        ChildProgram holder = programs.get(0);
        double took = hold(holder, locks);
        sleep(settleMillis);
        Map<String, Double> figures = idle(holder, millis);
        figures.put("acquireAllMillis", took);
        figures.put("closeMillis", end(holder));
        return figures;
    }

    private static double hold(ChildProgram holder, int locks) {
        holder.send("hold " + locks);
        return Double.parseDouble(holder.nextLine(PATIENCE));
    }

    /** Has the first JVM hold a lock, and measures what waiters of the second one cost after a time. */
    Map<String, Double> await(int waiters, long settleMillis, long millis) {
        ChildProgram waiting = programs.get(1);
        hold(programs.get(0), 1);
        waiting.send("wait " + waiters);
        var unused = waiting.nextLine(PATIENCE);
        sleep(settleMillis);
        Map<String, Double> figures = idle(waiting, millis);
        figures.put("closeMillis", end(waiting));
        return figures;
    }

    private Map<String, Double> idle(ChildProgram program, long millis) {
        Spent before = servers.spent(peer.deployment());
        long begun = System.nanoTime();
        program.send("idle " + millis);
        String[] answer = program.nextLine(PATIENCE).split(" ", -1);
        double seconds = (System.nanoTime() - begun) / 1e9;
        Spent spent = servers.spent(peer.deployment()).since(before);
        Map<String, Double> figures = new LinkedHashMap<>();
        figures.put("requestsPerSecond", spent.requests() / seconds);
        figures.put("commandsPerSecond", spent.commands() / seconds);
        figures.put("serverCpuPercent", spent.cpuSeconds() * 100 / seconds);
        figures.put("clientCpuPerMinute", Double.parseDouble(answer[0]) * 60_000 / millis);
        figures.put("threads", Double.parseDouble(answer[1]));
        figures.put("heapMebibytes", Double.parseDouble(answer[2]));
        figures.put("ended", Double.parseDouble(answer[3]));
        return figures;
    }

    private static double end(ChildProgram program) {
        long begun = System.nanoTime();
        program.send("end");
        var unused = program.awaitExit(PATIENCE);
        return (System.nanoTime() - begun) / 1e6;
    }

    private static void sleep(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    @Override
    public void close() {
        programs.forEach(ChildProgram::close);
    }
}
