package io.github.distlock.redis;

import java.util.concurrent.LinkedTransferQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * A bounded number of threads that run tasks. A task gets an idle thread if there is one, then a new thread, and waits
 * in a queue if there are as many threads as allowed. A plain {@code ThreadPoolExecutor} would start all its threads
 * before it used an idle one again. Threads end after a second without a task.
 *
 * <p>The last thread may end, or the threads may be shut down, while a task enters the queue. A thread that ends leaves
 * the pool first, and then looks at the queue. The task enters the queue first, and then its caller looks at the pool.
 * So one of the two sees the other, and no task stays in a queue without threads.
 */
final class ReusedThreads extends ThreadPoolExecutor {

    /** Offers a task to a waiting thread alone. */
    private static final class IdleThreads extends LinkedTransferQueue<Runnable> {
        private static final long serialVersionUID = 1;

        @Override
        public boolean offer(Runnable task) {
            return tryTransfer(task);
        }
    }

    /**
     * Starts no thread yet.
     *
     * @param most how many threads, at least 1
     */
    ReusedThreads(int most, ThreadFactory threads) {
        super(0, most, 1, TimeUnit.SECONDS, new IdleThreads(), threads, ReusedThreads::enqueue);
    }

    private static void enqueue(Runnable task, ThreadPoolExecutor busy) {
        if (busy.isShutdown()) {
            throw new RejectedExecutionException("closed");
        }
        IdleThreads queue = (IdleThreads) busy.getQueue();
        queue.put(task);
        if ((busy.isShutdown() || busy.getPoolSize() == 0) && queue.remove(task)) {
            busy.execute(task); // starts a thread, or refuses the task
        }
    }
}
