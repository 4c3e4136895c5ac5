package io.github.distlock.cli;

import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/**
 * Watches a command and its lock until the command has ended.
 *
 * <p><b>In doubt.</b> While renewals fail, the validity of the hold runs down. When the validity lasts only for
 * the patience and a margin, the command is asked to stop. When the patience is over, or only the margin is left, it
 * is killed. So it has ended before another client can acquire the lock.
 *
 * <p><b>Lost.</b> If the store says that the hold is missing, another client may hold the lock already. The command is
 * asked to stop at once, and killed when the patience is over.
 *
 * <p><b>The rest.</b> When the command has ended, other processes of its group may still run. They get a moment to end
 * by themselves, and are then stopped. The lock is released after that.
 *
 * <p>All of this is decided from the state of the hold, which is exact whenever this thread looks. The events only say
 * when to look. Once told to stop, a command is not told to go on if a renewal succeeds.
 */
final class Supervision {
    /** For example, for the reader of a pipe that has to write what it has read. */
    private static final long GRACE = 500_000_000;

    private static final long LONGEST_WAIT = 1_000_000_000;
    private static final long SHORTEST_WAIT = 1_000_000;
    private static final long LOOK_AGAIN = 20_000_000;

    private final LockHandle hold;
    private final ProcessGroup group;
    private final Process command;
    private final BlockingQueue<Event> events;
    private final long patience;
    /** How long before the end of the validity the command is killed. */
    private final long margin;

    private final ExecutorService printer = Executors.newSingleThreadExecutor(Supervision::daemon);

    private boolean stopped;
    private boolean killed;
    private long end;

    Supervision(LockHandle hold, ProcessGroup group, Process command, BlockingQueue<Event> events, Duration patience) {
        this.hold = hold;
        this.group = group;
        this.command = command;
        this.events = events;
        this.patience = patience.toNanos();
        this.margin = Math.max(0, Math.min(hold.remaining().toNanos() / 15, GRACE));
    }

    private static Thread daemon(Runnable task) {
        Thread thread = new Thread(task, "distlock-messages");
        thread.setDaemon(true);
        return thread;
    }

    /** Returns the exit code of the command, or {@link ExitCode#LOST} if it had to stop because of the lock. */
    int await() throws InterruptedException {
        var unused = command.onExit().thenRun(() -> events.add(new Event.Ended()));
        hold.onLost(loss -> events.add(new Event.Lost(loss)));
        try {
            while (command.isAlive()) {
                handleEvent(check());
            }
            endTheRest();
            return stopped ? ExitCode.LOST : command.exitValue();
        } finally {
            printer.shutdown();
            var ignored = printer.awaitTermination(LONGEST_WAIT, TimeUnit.NANOSECONDS);
        }
    }

    /** Does not wait for the reader of the standard error, which may be slow or may have ended. */
    private void say(String message) {
        printer.execute(() -> Distlock.print(message));
    }

    private void handleEvent(long longest) throws InterruptedException {
        long nanos = Math.max(SHORTEST_WAIT, Math.min(LONGEST_WAIT, longest));
        Event event = events.poll(nanos, TimeUnit.NANOSECONDS);
        if (event instanceof Event.Signaled signal) {
            group.signal(signal.name());
        } else if (event instanceof Event.Lost lost) {
            say(lost.loss().toString());
        }
    }

    /** Stops or kills the command if it is time, and returns how long to wait until the next look. */
    private long check() {
        boolean held = hold.isHeld();
        long left = hold.remaining().toNanos();
        if (!stopped) {
            if (held && left > patience + margin) {
                return left - patience - margin;
            }
            stop(held);
        }
        long patienceLeft = end - System.nanoTime();
        long untilKill = held ? Math.min(patienceLeft, left - margin) : patienceLeft;
        if (untilKill <= 0 && !killed) {
            kill();
        }
        return killed ? LOOK_AGAIN : untilKill;
    }

    private void stop(boolean held) {
        stopped = true;
        end = System.nanoTime() + patience;
        if (held) {
            say("lock \"" + hold.lockName() + "\" is about to be lost: stopping the command");
            group.endAtOnce();
        } else {
            say("lock \"" + hold.lockName() + "\" is lost: stopping the command");
        }
        group.signal("TERM");
    }

    private void kill() {
        killed = true;
        say("killing the command");
        group.signal("KILL");
    }

    private void endTheRest() throws InterruptedException {
        long begin = System.nanoTime();
        boolean told = stopped;
        while (group.isLiving()) {
            long waited = System.nanoTime() - begin;
            if (!told && waited > GRACE) {
                told = true;
                say("stopping what the command has left running");
                group.signal("TERM");
            }
            boolean held = hold.isHeld() && hold.remaining().toNanos() > margin;
            if (!killed && (!held || waited > GRACE + patience)) {
                kill();
            }
            if (killed && waited > GRACE + 2 * patience) {
                say("a process that the command has left does not end");
                return;
            }
            handleEvent(LOOK_AGAIN);
        }
    }
}
