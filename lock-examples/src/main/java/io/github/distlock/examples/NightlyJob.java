package io.github.distlock.examples;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.redis.RedisBackend;
import java.time.Duration;

/** Shows a job that a scheduler starts on every machine at the same time, and that only one machine runs. */
public final class NightlyJob {
    private final DistributedLock lock;
    private final Runnable job;

    NightlyJob(LockClient locks, Runnable job) {
        this.lock = locks.lock("jobs/nightly");
        this.job = job;
    }

    /** Runs the job, or skips it if another machine runs it. Asks for the lock once. The scheduler calls this. */
    boolean runUnlessBusy() throws InterruptedException {
        return lock.tryRunLocked(Duration.ZERO, held -> job.run());
    }

    /**
     * Runs or skips the job.
     *
     * @param arguments the address of a Redis server
     * @throws InterruptedException if the thread is interrupted before the job begins
     */
    public static void main(String[] arguments) throws InterruptedException {
        // Schedulers start many jobs at the same minute. So the first request of this one may be slow.
        try (LockClient locks = LockClient.builder(RedisBackend.connect(arguments[0]))
                .requestTimeout(Duration.ofSeconds(10))
                .build()) {
            boolean ran = new NightlyJob(locks, () -> System.out.println("cleaning up")).runUnlessBusy();
            System.out.println(ran ? "done" : "skipped: another machine is at it");
        }
    }
}
