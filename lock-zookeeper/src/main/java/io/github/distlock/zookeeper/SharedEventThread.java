package io.github.distlock.zookeeper;

import io.github.distlock.spi.BackendContext;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Sends the requests of one session over a caller-supplied client. The application's watchers and callbacks run on the
 * event thread of that client, and may block it for any time.
 *
 * <h2>Invariant</h2>
 *
 * The client sends the requests in the order in which callers made them. While the connection answers, no answer waits
 * for the event thread for longer than about half a second.
 *
 * <h2>Protocol</h2>
 *
 * While the event thread gives its answers in time, this class sends requests without waiting. If an answer is
 * {@linkplain #late late}, a thread of the engine <em>calls</em> the server: it sends a request whose answer comes from
 * the client's send thread. If an earlier answer is still missing after the call and a short {@link #GRACE}, the event
 * thread is <em>blocked</em>. Then the same thread asks for the missing answers again. It also calls all later
 * requests, one after the other, until the event thread gives an answer and no call is left.
 *
 * <h2>Why this is safe</h2>
 *
 * The client finishes requests in the order of their sending, whether by a reply or by the loss of the connection. So
 * when the call ends, each earlier request is finished too, and its missing answer is in the queue of the event thread.
 * Most requests have no effect that another copy could change. The outcome of a creation, or of a write of data, is
 * unknown then, as if the connection had broken. After a creation, its contender searches for the node. Nothing depends
 * on the outcome of a write. A deletion that finds no node has succeeded before.
 *
 * <p>Requests go back to the event thread only when no call is left. So none of them overtakes a call.
 *
 * <p>A call may hang as long as the client considers its connection alive. The callers keep their deadlines meanwhile.
 * Only one thread per session hangs.
 *
 * <p>Watches still fire on the event thread. Meanwhile waiters ask every second, and holds end by their validity. A
 * call that is acknowledged proves the session like any other write: it counts from the time at which it was sent.
 *
 * <p>Thread-safe.
 */
final class SharedEventThread {
    private static final Logger LOG = LoggerFactory.getLogger(ZooKeeperBackend.class);
    /** The time in which an event thread that is not blocked gives an answer that has arrived. */
    private static final Duration GRACE = Duration.ofMillis(100);

    private final ZooKeeper zooKeeper;
    private final SessionLife life;
    private final BackendContext context;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Set<Sent<?>> unanswered = new LinkedHashSet<>();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private @Nullable Thread thread;
    private volatile boolean blocked;
    private boolean probing;
    /** The number of requests that {@link #thread} has not finished. */
    private int calls;

    SharedEventThread(ZooKeeper zooKeeper, SessionLife life, BackendContext context) {
        this.zooKeeper = zooKeeper;
        this.life = life;
        this.context = context;
    }

    /** A request whose answer the event thread will give. */
    private final class Sent<T> implements Request.Receiver<T> {
        private final Request<T> request;
        private final Answer<T> answer;

        Sent(Request<T> request, Answer<T> answer) {
            this.request = request;
            this.answer = answer;
        }

        @Override
        public void complete(T value) {
            eventThreadAnswers(this);
            answer.complete(value);
        }

        @Override
        public void fail(Code code) {
            eventThreadAnswers(this);
            answer.fail(code);
        }

        @Override
        public boolean isDone() {
            return answer.isDone();
        }

        void askAgain() {
            give(answer, request::callAgain);
        }
    }

    private interface Call<T> {
        T call() throws KeeperException, InterruptedException;
    }

    boolean isBlocked() {
        return blocked;
    }

    /** Sends a request, or has it called if the event thread is blocked. Waits for neither. */
    <T> void send(Request<T> request, Answer<T> answer) {
        mutex.lock();
        try {
            if (blocked || calls > 0) {
                addTask(() -> {
                    give(answer, request::call);
                    called();
                });
                calls++;
            } else {
                sendUnblocked(new Sent<>(request, answer));
            }
        } finally {
            mutex.unlock();
        }
    }

    private <T> void sendUnblocked(Sent<T> sent) {
        unanswered.add(sent);
        try {
            sent.request.send(sent);
        } catch (Throwable e) {
            unanswered.remove(sent);
            throw e;
        }
    }

    private void addTask(Runnable task) {
        if (thread == null) {
            thread = BackendThreads.start(context, "calls", this::work);
        }
        tasks.add(task);
    }

    private void work() {
        for (Runnable task = nextTask(); task != null; task = nextTask()) {
            task.run();
        }
    }

    private @Nullable Runnable nextTask() {
        mutex.lock();
        try {
            Runnable next = tasks.poll();
            if (next == null) {
                thread = null;
            }
            return next;
        } finally {
            mutex.unlock();
        }
    }

    private <T> void give(Answer<T> answer, Call<T> call) {
        try {
            answer.complete(call.call());
        } catch (KeeperException e) {
            life.endIfDead();
            answer.fail(e.code());
        } catch (Throwable e) {
            // The backend closes, or the process lacks memory.
            answer.fail(Code.SYSTEMERROR);
        }
    }

    private void called() {
        mutex.lock();
        try {
            calls--;
        } finally {
            mutex.unlock();
        }
    }

    private void eventThreadAnswers(Sent<?> sent) {
        mutex.lock();
        try {
            unanswered.remove(sent);
            blocked = false;
        } finally {
            mutex.unlock();
        }
    }

    /** Looks soon whether the event thread is blocked, because an answer is late. */
    void late() {
        mutex.lock();
        try {
            if (!probing && !unanswered.isEmpty()) {
                addTask(this::probe);
                probing = true;
            }
        } catch (Throwable e) {
            // There is no thread for this. The next late answer tries again.
        } finally {
            mutex.unlock();
        }
    }

    private void probe() {
        List<Sent<?>> before = unanswered();
        try {
            var unused = zooKeeper.exists("/", false);
        } catch (KeeperException e) {
            // Earlier requests are finished all the same.
        } catch (Throwable e) {
            before = List.of();
        }
        awaitGrace(before);
        blocked(before).forEach(Sent::askAgain);
    }

    private List<Sent<?>> unanswered() {
        mutex.lock();
        try {
            return new ArrayList<>(unanswered);
        } finally {
            mutex.unlock();
        }
    }

    private static void awaitGrace(List<Sent<?>> sent) {
        try {
            if (!sent.isEmpty()) {
                var unused = sent.get(sent.size() - 1).answer.isDoneWithin(GRACE.toNanos());
            }
        } catch (InterruptedException e) {
            // The backend closes.
        }
    }

    /** Returns which answers the event thread has not given. If there is one, the event thread is blocked. */
    private List<Sent<?>> blocked(List<Sent<?>> before) {
        mutex.lock();
        try {
            List<Sent<?>> missing = before.stream().filter(unanswered::remove).toList();
            probing = false;
            if (!missing.isEmpty() && !blocked) {
                blocked = true;
                context.log(() -> LOG.warn(
                        "the event thread of the caller-supplied ZooKeeper client is blocked, probably by a watcher or "
                                + "callback of the application; until it returns, requests are sent one by one"));
            }
            return missing;
        } finally {
            mutex.unlock();
        }
    }

    /** Interrupts a call under way, and gives up the others. */
    void close() {
        mutex.lock();
        try {
            tasks.clear();
            unanswered.clear();
            if (thread != null) {
                thread.interrupt();
            }
        } finally {
            mutex.unlock();
        }
    }
}
