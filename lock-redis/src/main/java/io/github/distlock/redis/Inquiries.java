package io.github.distlock.redis;

import static java.util.Objects.requireNonNull;

import io.github.distlock.spi.Deadline;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import redis.clients.jedis.HostAndPort;
import redis.clients.jedis.JedisClientConfig;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisException;

/**
 * Asks several servers at once which nodes keep the locks. So a dead server delays no request. Servers may disagree for
 * a while after a failover, and each answer has the epoch of what it says. The answer with the greatest epoch counts,
 * among those that come within 100 ms after the first one.
 *
 * <p>Requests that wait for an answer share one inquiry, and no other begins for them within 100 ms after its begin.
 * Its questions end after a second. Threads of the backend ask, because nothing bounds the lookup of a host, and
 * callers wait until their deadlines. There are at most {@value #MOST_THREADS} threads: a question that finds none in
 * time is not asked. If a lookup hangs, the next inquiry begins after that second.
 *
 * <p><b>An inquiry ends.</b> Each question ends with an answer or a failure, and the last of them ends the inquiry. A
 * thread with an answer ends it 100 ms later, and a caller with an answer at its deadline. The one that ends it applies
 * the answer, and lets the callers go on.
 *
 * @param <A> what an answer says
 */
final class Inquiries<A> {
    private static final int MOST_THREADS = 8;
    private static final int MOST_QUEUED = 64;
    private static final Duration TIME = Duration.ofSeconds(1);
    private static final Duration FOR_OTHER_ANSWERS = Duration.ofMillis(100);
    private static final long SHORTEST_PAUSE = Duration.ofMillis(100).toNanos();

    private final Question<A> question;
    private final Supplier<Collection<HostAndPort>> servers;
    private final Found<A> found;
    private final JedisClientConfig config;
    private final LateExchanges late;
    private final RedisContext context;
    private final ThreadPoolExecutor threads;
    /** The connections of the questions under way. */
    private final Set<OpenConnections> asking = ConcurrentHashMap.newKeySet();

    private final AtomicReference<@Nullable Inquiry> latest = new AtomicReference<>();
    private volatile boolean closed;

    /** What a server is asked. */
    interface Question<A> {
        /**
         * Asks, over one connection.
         *
         * @param server the server that is asked
         */
        BoundedConnection.Exchange<Answer<A>> to(HostAndPort server);
    }

    /** An answer, and the epoch of what it says. */
    record Answer<A>(long epoch, A content) {}

    /** Takes the answer of an inquiry. */
    interface Found<A> {
        /**
         * Takes the answer with the greatest epoch.
         *
         * @param begunAt the nano time before the first question
         * @param isOfAll whether all servers have answered
         */
        void accept(Answer<A> answer, long begunAt, boolean isOfAll);
    }

    /**
     * Asks nothing yet.
     *
     * @param servers which servers to ask
     * @param config how to connect to them
     * @param found takes the answer of each inquiry that has one
     */
    Inquiries(
            Question<A> question,
            Supplier<Collection<HostAndPort>> servers,
            JedisClientConfig config,
            Found<A> found,
            LateExchanges late,
            RedisContext context) {
        this.question = question;
        this.servers = servers;
        this.config = config;
        this.found = found;
        this.late = late;
        this.context = context;
        this.threads = new ThreadPoolExecutor(
                MOST_THREADS,
                MOST_THREADS,
                1,
                TimeUnit.SECONDS,
                new LinkedBlockingQueue<>(MOST_QUEUED),
                context.redisThreads());
        this.threads.allowCoreThreadTimeOut(true);
    }

    /** Returns the inquiry that is under way or has just ended, or begins one. */
    Inquiry begin() {
        var unused = tryBegin();
        return requireNonNull(latest.get());
    }

    /** Begins an inquiry. Returns false if one is under way or has begun within the last 100 ms. */
    boolean tryBegin() {
        Inquiry last = latest.get();
        if (last != null && (last.isUnderWay() || context.clock.nanoTime() - last.begunAt < SHORTEST_PAUSE)) {
            return false;
        }
        Inquiry next = new Inquiry(servers.get());
        boolean begins = latest.compareAndSet(last, next);
        if (begins) {
            next.ask();
        }
        return begins;
    }

    /** Begins an inquiry although another one may be under way: its answers are later than this call. */
    void beginAnother() {
        Inquiry next = new Inquiry(servers.get());
        latest.set(next);
        next.ask();
    }

    /**
     * Asks because a request has failed, also after its deadline, and waits until the deadline. If an inquiry has just
     * ended, its answer may be older than the failure, so waits for the next one. If no server answers, the failure of
     * the request stands.
     */
    void askAfter(JedisException failure, Deadline deadline) throws InterruptedException {
        boolean begins = tryBegin();
        Inquiry inquiry = requireNonNull(latest.get());
        if (deadline.hasPassed()) {
            return;
        }
        if (!begins && inquiry.hasEnded()) {
            long sinceBegin = context.clock.nanoTime() - inquiry.begunAt;
            TimeUnit.NANOSECONDS.sleep(Math.min(SHORTEST_PAUSE - sinceBegin, deadline.remainingNanos()));
            inquiry = begin();
        }
        try {
            inquiry.await(deadline);
        } catch (JedisException e) {
            failure.addSuppressed(e);
        }
    }

    /** Closes the connections, and ends the inquiry under way. */
    void disconnect() {
        threads.getQueue().clear();
        asking.forEach(connections -> connections.close("the question was given up"));
        Inquiry last = latest.get();
        if (last != null) {
            last.end();
        }
    }

    /** Ends the connections and threads, and the inquiry under way without an answer. */
    void close() {
        closed = true;
        disconnect();
        threads.shutdownNow();
    }

    /** One inquiry. */
    final class Inquiry {
        private final long begunAt = context.clock.nanoTime();
        private final Deadline deadline = Deadline.after(TIME, context.clock);
        private final List<HostAndPort> asked;
        private final AtomicInteger pending;
        private final AtomicReference<@Nullable Answer<A>> best = new AtomicReference<>();
        private final Queue<JedisException> failures = new ConcurrentLinkedQueue<>();
        private final AtomicBoolean ending = new AtomicBoolean();
        private final CountDownLatch ended = new CountDownLatch(1);

        private Inquiry(Collection<HostAndPort> servers) {
            List<HostAndPort> some = new ArrayList<>(servers);
            Collections.shuffle(some);
            asked = some.subList(0, Math.min(some.size(), MOST_THREADS));
            pending = new AtomicInteger(asked.size());
        }

        private boolean hasEnded() {
            return ended.getCount() == 0;
        }

        /** Returns whether an answer may still come in time. */
        private boolean isUnderWay() {
            return !hasEnded() && !deadline.hasPassed();
        }

        private void ask() {
            for (HostAndPort server : asked) {
                try {
                    threads.execute(() -> ask(server));
                } catch (RuntimeException | Error e) {
                    String why = e instanceof RejectedExecutionException && closed
                            ? OwnConnections.CLOSED
                            : "no thread asks " + server;
                    failed(new JedisConnectionException(why, e));
                }
            }
        }

        private void ask(HostAndPort server) {
            Answer<A> answer;
            try {
                answer = answer(server);
            } catch (JedisDataException e) {
                failed(new JedisDataException(e.getMessage() + ", says " + server, e));
                return;
            } catch (JedisException e) {
                failed(e);
                return;
            } catch (InterruptedException | RuntimeException | Error e) {
                failed(new JedisConnectionException(server + " cannot be asked", e));
                return;
            }
            answered(answer);
        }

        private Answer<A> answer(HostAndPort server) throws InterruptedException {
            if (deadline.hasPassed()) {
                throw new JedisConnectionException(server + " was not asked in time");
            }
            OpenConnections connections = new OpenConnections(server, config, ServerConnection.Check.ALIVE, late);
            asking.add(connections);
            try {
                if (closed) {
                    throw new JedisConnectionException(OwnConnections.CLOSED);
                }
                return connections.connect(deadline).exchange(question.to(server), deadline);
            } finally {
                asking.remove(connections);
                connections.close("the question has ended");
            }
        }

        private void answered(Answer<A> answer) {
            best.accumulateAndGet(
                    answer,
                    (known, other) -> known == null || other == null || other.epoch > known.epoch ? other : known);
            endedOne();
            try {
                if (!ended.await(FOR_OTHER_ANSWERS.toNanos(), TimeUnit.NANOSECONDS)) {
                    end();
                }
            } catch (InterruptedException e) {
                // The backend is closed, which ends the inquiry.
            }
        }

        private void failed(JedisException failure) {
            failures.add(failure);
            endedOne();
        }

        private void endedOne() {
            if (pending.decrementAndGet() == 0) {
                end();
            }
        }

        private void end() {
            if (ending.compareAndSet(false, true)) {
                try {
                    Answer<A> answer = best.get();
                    if (answer != null && !closed) {
                        found.accept(answer, begunAt, pending.get() == 0 && failures.isEmpty());
                    }
                } finally {
                    ended.countDown();
                }
            }
        }

        /**
         * Waits for the end.
         *
         * @throws JedisException if no server has given an answer in time: an error that a server has answered, if no
         *     other one may still answer
         */
        void await(Deadline until) throws InterruptedException {
            if (!ended.await(until.remainingNanos(), TimeUnit.NANOSECONDS) && best.get() != null) {
                end();
                ended.await();
            }
            if (best.get() == null) {
                throw failure();
            }
        }

        private JedisException failure() {
            for (JedisException each : failures) {
                if (each instanceof JedisDataException && pending.get() == 0) {
                    return new JedisDataException(each.getMessage(), each);
                }
            }
            JedisException first = failures.peek();
            if (first == null) {
                return new JedisConnectionException("no answer in time from any of " + asked);
            }
            String words = failures.stream().map(JedisException::getMessage).collect(Collectors.joining("; "));
            return new JedisConnectionException("no answer from any of " + asked + ": " + words, first);
        }
    }
}
