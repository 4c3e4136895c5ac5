package io.github.distlock.simulator;

import io.github.distlock.simulator.zookeeper.ZooKeeperStore;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * What a run contains: everything that does not follow from the schedule. The seed decides it. A shorter plan leaves
 * out users or faults, and those that remain do what they did.
 *
 * @param seed the seed
 * @param schedule the seed of the schedule, the network and the servers
 * @param store the name of the store
 * @param duration for how long users work and faults strike, in nanoseconds of true time
 * @param lease of most holds, in milliseconds
 * @param latency of most messages, in nanoseconds
 * @param interference how much the scheduler disturbs threads
 * @param locks how many exclusive locks there are
 * @param keeps how many locks each user keeps for hours, or 0 if users hold one lock at a time
 * @param habits what users often do
 * @param excluded the kind of fault beyond the stated bounds that strikes too, or empty for none
 * @param only the only lock that is used, or empty for all
 * @param crowd how users contend for this one lock, or {@link Crowd#NONE}
 * @param processes the settings of each process
 * @param users the threads that use locks
 * @param faults the faults, in the order of their times
 */
record Plan(
        long seed,
        long schedule,
        String store,
        long duration,
        long lease,
        long latency,
        Simulation.Interference interference,
        int locks,
        int keeps,
        Habits habits,
        String excluded,
        String only,
        Crowd crowd,
        List<Member> processes,
        List<User> users,
        List<Fault> faults) {
    private static final long SECOND = 1_000_000_000L;
    /** Of a client and a server together, this is within the drift of 0.01 that the engine allows. */
    private static final double MOST_DRIFT = 0.004;
    /** A hold ends before its lease at the store by a twentieth of a short lease, and before its session by a third. */
    private static final double LEAST_DRIFT_BEYOND = 0.1;

    private static final double MOST_DRIFT_BEYOND = 0.6;

    /** The longest lock delay, as a part of the lease. */
    private static final double LONGEST_DELAY = 0.4;
    /** On ZooKeeper the delay begins only when the session has ended, so only longer ones are seen. */
    private static final double LONGEST_DELAY_OF_SESSIONS = 2;

    private static final double SOON = 1e6;
    private static final double LATER = 5e9;

    private static final int LEAST_EXCLUDED = 8;
    private static final int MOST_EXCLUDED = 20;

    /** How long hasty users work. More would take too many steps. */
    private static final long HASTY_LATENCIES = 3_000;

    /**
     * With which probability users do what they seldom do in most runs.
     *
     * @param holdsLong that a hold lasts up to two leases
     * @param extension that a holder extends its hold when it looks at it
     * @param lockDelay that a lock without another option has a lock delay for a user
     * @param sticky that a lock is sticky for a user
     * @param request that a user asks the holders of a lock to release it, or listens for that
     * @param warning that a holder wants to be warned before its hold ends
     */
    record Habits(double holdsLong, double extension, double lockDelay, double sticky, double request, double warning) {
        private static final Habits OF_STALE_LEADERS = new Habits(1, 0.05, 0, 0.25, 0, 0);

        private static Habits of(SplittableRandom random) {
            return new Habits(
                    random.nextInt(3) == 0 ? 0.6 : 0.08,
                    random.nextInt(4) == 0 ? 0.3 : 0.05,
                    random.nextInt(4) == 0 ? 0.6 : 0.12,
                    random.nextInt(5) == 0 ? 0.8 : 0.25,
                    random.nextInt(4) == 0 ? 0.5 : 0,
                    random.nextInt(6) == 0 ? 0.5 : 0);
        }

        private static Habits ofCrowd(SplittableRandom random, double lockDelay) {
            return new Habits(random.nextInt(3) == 0 ? 0.4 : 0.08, 0.05, lockDelay, lockDelay < 1 ? 0.25 : 0, 0, 0);
        }
    }

    /** How users contend for one lock, and the faults beside that. */
    enum Crowd {
        /** They use several locks. */
        NONE,
        /** No fault strikes, and messages are fast. So nothing but the product decides when a waiter gets the lock. */
        CALM,
        /** Also without a fault. The first process wants the lock again at once, and the others now and then. */
        HASTY,
        /** Holds are lost while they have a lock delay. */
        LOSING_HOLDS,
        /** Answers to changes are lost. */
        LOSING_ANSWERS(0.1),
        /** An operator deletes the nodes of waiters. */
        OPERATED(0.1),
        /** Directories are deleted while they are empty, and clients are late to hear of it. */
        RECREATED(0.03),
        /** A few of all kinds of faults strike. */
        FAULTY;

        private static final List<Crowd> CALM_ONES = List.of(CALM, CALM, CALM, HASTY, HASTY);
        private static final List<Crowd> OTHERS = List.of(LOSING_HOLDS, LOSING_ANSWERS, OPERATED, RECREATED, FAULTY);

        private final double leastInterval;

        Crowd() {
            this(0.5);
        }

        /** Makes a kind whose faults have at least this interval, in seconds, or up to 120 times as long. */
        Crowd(double leastInterval) {
            this.leastInterval = leastInterval;
        }

        private static Crowd of(SplittableRandom random) {
            return any(random, random.nextBoolean() ? CALM_ONES : OTHERS);
        }

        /** Returns whether two processes use the lock several times each, one after the other, and rest in between. */
        boolean takesTurns() {
            return this == RECREATED;
        }

        private boolean isCalm() {
            return this == CALM || this == HASTY;
        }

        private String anyLock(SplittableRandom random) {
            return any(
                    random,
                    switch (this) {
                        case CALM -> List.of("lock0", "shared", "permits", "permits");
                        case LOSING_ANSWERS -> List.of("shared", "shared", "lock0");
                        case FAULTY -> List.of("lock0", "lock0", "shared", "shared", "permits");
                        default -> List.of("lock0");
                    });
        }

        private List<String> kindsOfFaults(SplittableRandom random, List<String> ofStore) {
            return switch (this) {
                case LOSING_HOLDS -> List.of(Faults.CRASH, Faults.CRASH, Faults.SILENCE, ZooKeeperStore.CURATOR);
                case LOSING_ANSWERS -> List.of(ZooKeeperStore.RESET, ZooKeeperStore.RESET, Faults.SILENCE);
                case OPERATED -> List.of(ZooKeeperStore.OPERATOR);
                case RECREATED -> List.of(ZooKeeperStore.EMPTIED, Faults.SLOW_EVENTS);
                case FAULTY -> someKinds(random, ofStore);
                default -> List.of();
            };
        }
    }

    /** A process. */
    record Member(int number, double rate, Handoffs handoffs, boolean dropsHandles) {}

    /** How often and for how long the client of a process hands locks to its own threads. */
    record Handoffs(int most, Duration time) {
        private static final Handoffs NONE = new Handoffs(0, Duration.ofMillis(20));
        private static final Handoffs USUAL = new Handoffs(64, Duration.ofMillis(20));

        /** A few handoffs are soon over, so that the store is asked for more fencing tokens. */
        private static Handoffs of(SplittableRandom random) {
            return switch (random.nextInt(4)) {
                case 0 -> NONE;
                case 1, 2 -> new Handoffs(random.nextInt(2, 12), Duration.ofMillis(random.nextLong(20, 4_000)));
                default -> USUAL;
            };
        }
    }

    /** A thread of a process. */
    record User(int process, int number, long seed) {
        @Override
        public String toString() {
            return process + "." + number;
        }
    }

    /** A fault: its number in the whole plan, its time, and what it strikes. */
    record Fault(int number, long at, String kind, int process, long choice) {
        /** Returns whether this closes the application's client library, some time before the client is closed. */
        boolean closesClientLibrary() {
            return kind.equals(Faults.CLOSE) && !closesUnderUsers();
        }

        /** Returns whether this closes a client while threads use it. Otherwise they end their work first. */
        boolean closesUnderUsers() {
            return kind.equals(Faults.CLOSE) && choice % 2 == 0;
        }
    }

    /** Makes the plan of a seed. */
    static Plan of(long seed, String store, List<String> faultsOfStore) {
        return of(seed, store, faultsOfStore, "");
    }

    /** Makes the plan of a seed, with one more kind of faults. */
    static Plan of(long seed, String store, List<String> faultsOfStore, String excluded) {
        SplittableRandom random = new SplittableRandom(seed);
        if (store.equals(Stores.STALE_LEADERS)) {
            return staleLeaders(seed, random, faultsOfStore.get(0));
        }
        if (store.equals(Stores.CROWD)) {
            return crowd(seed, random, faultsOfStore);
        }
        int keeps = random.nextInt(40) == 0 ? random.nextInt(2, 40) : 0;
        // The models of servers cost more for each simulated second.
        double longest = store.equals(Stores.MEMORY) ? 14_400 : 1_200;
        long duration =
                (long) (SECOND * (keeps > 0 ? logUniform(random, longest / 4, longest) : logUniform(random, 10, 120)));
        long lease = (long) (keeps > 0 ? logUniform(random, 20_000, 600_000) : logUniform(random, 300, 30_000));
        long latency = (long) logUniform(random, 50_000, 5_000_000);
        double preemption = random.nextInt(3) == 0 ? 0 : logUniform(random, 0.0005, 0.05);
        double delay = random.nextInt(3) == 0 ? 0 : logUniform(random, 0.0005, 0.02);
        long longestDelay = (long) logUniform(random, 1e6, 1e9);
        List<Member> processes = new ArrayList<>();
        List<User> users = new ArrayList<>();
        int count = random.nextInt(1, 4);
        boolean drifts = random.nextBoolean();
        SplittableRandom beyond = new SplittableRandom(~seed);
        for (int process = 1; process <= count; process++) {
            double rate = drifts ? 1 + random.nextDouble(-MOST_DRIFT, MOST_DRIFT) : 1;
            if (excluded.equals(Faults.DRIFT)) {
                rate = process == 1 || beyond.nextBoolean() ? 1 - drift(beyond) : 1 + drift(beyond);
            }
            processes.add(new Member(process, rate, Handoffs.of(random), random.nextInt(4) == 0));
            int threads = random.nextInt(1, 5);
            for (int number = 1; number <= threads; number++) {
                users.add(new User(process, number, random.nextLong()));
            }
        }
        long schedule = random.nextLong();
        int locks = random.nextInt(1, 4);
        Habits habits = Habits.of(random);
        List<Fault> faults = faults(random, count, duration, keeps > 0 ? 120 : 0.5, someKinds(random, faultsOfStore));
        if (!excluded.isEmpty() && !excluded.equals(Faults.DRIFT)) {
            faults.addAll(excludedFaults(beyond, count, duration, excluded));
        }
        return new Plan(
                seed,
                schedule,
                store,
                duration,
                lease,
                latency,
                new Simulation.Interference(preemption, delay, longestDelay),
                locks,
                keeps,
                habits,
                excluded,
                "",
                Crowd.NONE,
                List.copyOf(processes),
                List.copyOf(users),
                numbered(faults));
    }

    private static double drift(SplittableRandom random) {
        return random.nextDouble(LEAST_DRIFT_BEYOND, MOST_DRIFT_BEYOND);
    }

    /**
     * Makes a plan in which some processes contend for one lock and hold it for long, while leaders of ZooKeeper lose
     * touches. It finds what other plans do not: that too few exchanges prove a session.
     */
    private static Plan staleLeaders(long seed, SplittableRandom random, String fault) {
        List<Member> processes = new ArrayList<>();
        List<User> users = new ArrayList<>();
        for (int process = 1; process <= 4; process++) {
            processes.add(new Member(process, 1, Handoffs.NONE, false));
            users.add(new User(process, 1, random.nextLong()));
        }
        long duration = 200 * SECOND;
        List<Fault> faults = new ArrayList<>();
        for (long at = 5 * SECOND; at < duration; at += 12 * SECOND + random.nextLong(SECOND)) {
            faults.add(new Fault(faults.size() + 1, at, fault, 1, random.nextLong() >>> 1));
        }
        return new Plan(
                seed,
                random.nextLong(),
                Stores.STALE_LEADERS,
                duration,
                15_000,
                SECOND / 2000,
                Simulation.Interference.NONE,
                1,
                0,
                Habits.OF_STALE_LEADERS,
                "",
                "lock0",
                Crowd.NONE,
                List.copyOf(processes),
                List.copyOf(users),
                List.copyOf(faults));
    }

    /**
     * Returns for how long a hold may be valid, or stay in the store with its lock delay. An extension asks for up to
     * one and a half leases, and the engine adds what clocks may differ by.
     */
    Duration longestValidity() {
        return Duration.ofMillis(2 * lease);
    }

    /** Makes a plan in which several processes contend for one lock. */
    private static Plan crowd(long seed, SplittableRandom random, List<String> faultsOfStore) {
        Crowd crowd = Crowd.of(random);
        boolean hasty = crowd == Crowd.HASTY;
        List<Member> processes = new ArrayList<>();
        List<User> users = new ArrayList<>();
        // Such processes soon have the same numbers in a directory and in the one before it.
        boolean takesTurns = crowd.takesTurns();
        int count = random.nextInt(2, takesTurns ? 3 : 6);
        for (int process = 1; process <= count; process++) {
            boolean handsOff = !takesTurns && random.nextInt(4) > 0;
            processes.add(new Member(process, 1, handsOff ? Handoffs.USUAL : Handoffs.NONE, false));
            int threads = takesTurns ? 1 : hasty && process == 1 ? random.nextInt(3, 5) : random.nextInt(1, 3);
            for (int number = 1; number <= threads; number++) {
                users.add(new User(process, number, random.nextLong()));
            }
        }
        long latency = (long) logUniform(random, 50_000, crowd.isCalm() ? 500_000 : 2_000_000);
        long duration = (long) (SECOND * logUniform(random, 10, crowd.isCalm() ? 40 : 80));
        double preemption = random.nextInt(3) == 0 ? 0 : logUniform(random, 0.0005, 0.05);
        double delay = crowd.isCalm() || random.nextInt(3) == 0 ? 0 : logUniform(random, 0.0005, 0.02);
        List<String> kinds = crowd.kindsOfFaults(random, faultsOfStore);
        return new Plan(
                seed,
                random.nextLong(),
                Stores.CROWD,
                hasty ? Math.min(duration, HASTY_LATENCIES * latency) : duration,
                (long) logUniform(random, 300, 10_000),
                latency,
                new Simulation.Interference(preemption, delay, (long) logUniform(random, 1e6, 1e9)),
                1,
                0,
                Habits.ofCrowd(random, crowd == Crowd.LOSING_HOLDS ? 1 : 0.12),
                "",
                crowd.anyLock(random),
                crowd,
                List.copyOf(processes),
                List.copyOf(users),
                numbered(faults(random, count, duration, crowd.leastInterval, kinds)));
    }

    private static <T> T any(SplittableRandom random, List<T> all) {
        return all.get(random.nextInt(all.size()));
    }

    /** Returns the longest lock delay, as a part of the lease. */
    double longestDelay() {
        return store.startsWith(Stores.ZOOKEEPER) ? LONGEST_DELAY_OF_SESSIONS : LONGEST_DELAY;
    }

    /** Returns whether all users contend for one lock. */
    boolean isCrowded() {
        return crowd != Crowd.NONE;
    }

    /** Returns whether some locks have a lock delay, which is for a minute at most. */
    boolean delaysLocks() {
        return keeps == 0 && !store.equals(Stores.STALE_LEADERS);
    }

    /** Returns the same plan with another schedule. */
    Plan withSchedule(long newSchedule) {
        return with(newSchedule, duration, interference, only, processes, users, faults);
    }

    /** Returns the same plan with an earlier end. */
    Plan withDuration(long newDuration) {
        List<Fault> earlier =
                faults.stream().filter(fault -> fault.at < newDuration).toList();
        return with(schedule, newDuration, interference, only, processes, users, earlier);
    }

    /** Returns the same plan with threads that are less disturbed. */
    Plan withInterference(Simulation.Interference newInterference) {
        return with(schedule, duration, newInterference, only, processes, users, faults);
    }

    /** Returns the same plan with fewer faults. */
    Plan withFaults(List<Fault> newFaults) {
        return with(schedule, duration, interference, only, processes, users, newFaults);
    }

    /** Returns the same plan with fewer users, and without the processes that have none. */
    Plan withUsers(List<User> newUsers) {
        List<Member> used = processes.stream()
                .filter(process -> newUsers.stream().anyMatch(user -> user.process == process.number))
                .toList();
        List<Fault> concerning = faults.stream()
                .filter(fault -> used.stream().anyMatch(process -> process.number == fault.process))
                .toList();
        return with(schedule, duration, interference, only, used, newUsers, concerning);
    }

    /** Returns the same plan with a single lock. */
    Plan withOnly(String lock) {
        return with(schedule, duration, interference, lock, processes, users, faults);
    }

    private Plan with(
            long newSchedule,
            long newDuration,
            Simulation.Interference newInterference,
            String newOnly,
            List<Member> newProcesses,
            List<User> newUsers,
            List<Fault> newFaults) {
        return new Plan(
                seed,
                newSchedule,
                store,
                newDuration,
                lease,
                latency,
                newInterference,
                locks,
                keeps,
                habits,
                excluded,
                newOnly,
                crowd,
                newProcesses,
                newUsers,
                newFaults);
    }

    /** Returns the names of all locks that users may acquire, unless each keeps its own. */
    List<String> lockNames() {
        return Stream.concat(
                        IntStream.range(0, locks).mapToObj(lock -> "lock" + lock),
                        Stream.of("shared", "permits", "fair"))
                .toList();
    }

    /** Returns the options of the simulator that lead to this plan. */
    String options(Plan whole) {
        StringBuilder options = new StringBuilder("--store " + store + " --seed " + seed);
        if (!excluded.isEmpty()) {
            options.append(" --excluded");
        }
        if (schedule != whole.schedule) {
            options.append(" --schedule ").append(schedule);
        }
        if (users.size() < whole.users.size()) {
            options.append(" --users ").append(join(users.stream().map(User::toString)));
        }
        if (faults.size() < whole.faults.size()) {
            options.append(" --faults ").append(join(faults.stream().map(fault -> Integer.toString(fault.number))));
        }
        if (!only.equals(whole.only)) {
            options.append(" --only ").append(only);
        }
        if (duration < whole.duration) {
            options.append(" --duration ").append(duration);
        }
        if (!interference.equals(whole.interference)) {
            options.append(" --calm");
        }
        return options.toString();
    }

    private static String join(Stream<String> words) {
        String joined = words.collect(Collectors.joining(","));
        return joined.isEmpty() ? "none" : joined;
    }

    /** Returns when the wall clock of a process jumps the next time. */
    long nextJump(int process, long now) {
        return next(process, now, fault -> fault.kind.equals(Faults.WALL_CLOCK));
    }

    /**
     * Returns when the wall clock of a process jumps the next time, or its client or the client library closes under
     * its users. Its holds may end then, although they claimed more before.
     */
    long nextEarlyEnd(int process, long now) {
        return next(
                process,
                now,
                fault -> fault.kind.equals(Faults.WALL_CLOCK)
                        || fault.closesUnderUsers()
                        || fault.closesClientLibrary());
    }

    private long next(int process, long now, Predicate<Fault> which) {
        return faults.stream()
                .filter(fault -> fault.process == process && fault.at >= now && which.test(fault))
                .mapToLong(Fault::at)
                .min()
                .orElse(Long.MAX_VALUE);
    }

    /**
     * Returns whether times of a process have bounds. They have none if its wall clock steps, since a hold may then end
     * earlier than it claimed before, if a callback may wait for a thread, or if its clock drifts, since it then
     * measures other times than the checker.
     */
    boolean isPunctual(int process) {
        return !excluded.equals(Faults.DRIFT)
                && faults.stream()
                        .noneMatch(fault -> fault.process == process && Faults.UNBOUNDED.contains(fault.kind));
    }

    /** Each run has a few kinds of faults. Half of the runs have hardly any, so that these meet more often. */
    private static List<String> someKinds(SplittableRandom random, List<String> ofStore) {
        List<String> kinds = new ArrayList<>(Faults.OF_PROCESSES);
        kinds.addAll(ofStore);
        kinds.addAll(ofStore);
        int left = random.nextBoolean() ? 8 : 3;
        kinds.removeIf(kind -> random.nextInt(12) >= (isRare(kind) ? (left + 1) / 3 : left));
        return kinds;
    }

    private static List<Fault> faults(
            SplittableRandom random, int processes, long duration, double leastInterval, List<String> kinds) {
        long interval = (long) (SECOND * logUniform(random, leastInterval, 120 * leastInterval));
        List<Fault> faults = new ArrayList<>();
        if (!kinds.isEmpty()) {
            for (long at = random.nextLong(2 * interval); at < duration; at += untilNextFault(random, interval)) {
                String kind = kinds.get(random.nextInt(kinds.size()));
                int process = random.nextInt(1, processes + 1);
                faults.add(new Fault(0, at, kind, process, random.nextLong() >>> 1));
            }
        }
        return faults;
    }

    /** Some faults come so soon after others that both hit the same requests or holds. */
    private static long untilNextFault(SplittableRandom random, long interval) {
        return random.nextInt(3) == 0 ? (long) logUniform(random, SOON, LATER) : 1 + random.nextLong(2 * interval);
    }

    private static boolean isRare(String kind) {
        return Faults.UNBOUNDED.contains(kind) || kind.equals(SimulatedStore.COPY);
    }

    private static List<Fault> excludedFaults(SplittableRandom random, int processes, long duration, String kind) {
        return Stream.generate(() -> new Fault(
                        0, random.nextLong(duration), kind, random.nextInt(1, processes + 1), random.nextLong() >>> 1))
                .limit(random.nextInt(LEAST_EXCLUDED, MOST_EXCLUDED))
                .toList();
    }

    private static List<Fault> numbered(List<Fault> faults) {
        faults.sort(Comparator.comparingLong(Fault::at));
        List<Fault> numbered = new ArrayList<>();
        for (Fault fault : faults) {
            numbered.add(new Fault(numbered.size() + 1, fault.at, fault.kind, fault.process, fault.choice));
        }
        return List.copyOf(numbered);
    }

    private static double logUniform(SplittableRandom random, double least, double most) {
        return least * StrictMath.exp(random.nextDouble() * StrictMath.log(most / least));
    }
}
