package io.github.distlock.tests.history;

import io.github.distlock.tests.ServerFixture;
import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.FaultProxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The processes of a history, each behind a separate {@link FaultProxy}. A new process replaces a killed one.
 * Thread-safe, except {@link #finish} and {@link #close()}.
 */
final class Team implements AutoCloseable {
    private static final Duration START = Duration.ofMinutes(2);

    private final ServerFixture<?> store;
    private final Duration lease;
    private final Duration rest;
    private final Path directory;
    private final long seed;
    /** The class path of every second process, or null if all have that of this JVM. */
    private final @Nullable String otherRevision;

    private final Map<Long, Member> members = new ConcurrentHashMap<>();
    private final Map<Long, Path> files = new ConcurrentHashMap<>();
    private final AtomicLong numbers = new AtomicLong();

    record Member(long number, ChildProgram process, FaultProxy link) {}

    Team(
            ServerFixture<?> store,
            Duration lease,
            Duration rest,
            Path directory,
            long seed,
            @Nullable String otherRevision) {
        this.store = store;
        this.lease = lease;
        this.rest = rest;
        this.directory = directory;
        this.seed = seed;
        this.otherRevision = otherRevision;
    }

    /** Starts processes and waits until all are ready. */
    void start(int count) {
        List<Member> started = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            started.add(begin(FaultProxy.to(store.server())));
        }
        started.forEach(Team::awaitReady);
    }

    private Member begin(FaultProxy link) {
        long number = numbers.incrementAndGet();
        Path file = directory.resolve("process-" + number);
        String[] arguments = {
            store.factory().getClass().getName(),
            link.address(),
            store.space(),
            file.toString(),
            String.valueOf(number),
            String.valueOf(seed + number),
            String.valueOf(lease.toMillis()),
            String.valueOf(rest.toMillis())
        };
        ChildProgram process = otherRevision != null && number % 2 == 0
                ? ChildProgram.start(otherRevision, List.of(), Worker.class.getName(), arguments)
                : ChildProgram.start(Worker.class, arguments);
        Member member = new Member(number, process, link);
        members.put(number, member);
        files.put(number, file);
        return member;
    }

    private static void awaitReady(Member member) {
        member.process.awaitLine(Worker.READY, START);
    }

    List<Member> members() {
        return List.copyOf(members.values());
    }

    /** Kills a process and starts a new one on its proxy. */
    void replace(Member member) {
        member.process.close();
        members.remove(member.number);
        awaitReady(begin(member.link));
    }

    /** Ends all processes in an orderly manner. Returns a violation for each that does not end within the limit. */
    List<Violation> finish(Duration limit) {
        List<Violation> violations = new ArrayList<>();
        members().forEach(member -> member.process.send(Worker.FINISH));
        for (Member member : members()) {
            try {
                member.process.awaitLine(Worker.FINISHED, limit);
                int exit = member.process.awaitExit(limit);
                if (exit != 0) {
                    violations.add(new Violation(HistoryRule.PROCESSES_END, member + " ended with " + exit));
                }
            } catch (IllegalStateException e) {
                violations.add(new Violation(HistoryRule.PROCESSES_END, String.valueOf(e.getMessage())));
            }
        }
        return violations;
    }

    Map<Long, Path> files() {
        return new TreeMap<>(files);
    }

    @Override
    public void close() {
        members().forEach(member -> {
            member.process.close();
            member.link.close();
        });
    }
}
