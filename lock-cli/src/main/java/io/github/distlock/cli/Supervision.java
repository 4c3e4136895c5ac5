package io.github.distlock.cli;

import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
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
 * by themselves, and are then stopped. The lock is released after that. A process may not end even then, because the
 * system waits for a device, or because it belongs to another user. The lock then stays held until the process ends.
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
    private final BlockingQueue<Event> events;
    private final Messages messages;
    private final long patience;
    /** How long before the end of the validity the command is killed. */
    private final long margin;

    private boolean stopped;
    private boolean killing;
    /** A guard has answered that it has sent KILL. */
    private boolean killed;

    private long end;

    Supervision(
            LockHandle hold, ProcessGroup group, BlockingQueue<Event> events, Messages messages, Duration patience) {
        this.hold = hold;
        this.group = group;
        this.events = events;
        this.messages = messages;
        this.patience = patience.toNanos();
        this.margin = Math.max(0, Math.min(hold.remaining().toNanos() / 15, GRACE));
    }

    /** Returns the exit code of the command, or {@link ExitCode#LOST} if it had to stop because of the lock. */
    int await() throws InterruptedException {
        group.awaitStart();
        Process command = group.command();
        var unused = command.onExit().thenRun(() -> events.add(new Event.Ended()));
        hold.onLost(loss -> events.add(new Event.Lost(loss)));
        while (command.isAlive()) {
            group.watchGuard();
            handleEvent(check());
        }
        endTheRest();
        return stopped ? ExitCode.LOST : command.exitValue();
    }

    private void handleEvent(long longest) throws InterruptedException {
        long nanos = Math.max(SHORTEST_WAIT, Math.min(LONGEST_WAIT, longest));
        Event event = events.poll(nanos, TimeUnit.NANOSECONDS);
        if (event instanceof Event.Signaled signal) {
            var unused = signal(signal.name());
        } else if (event instanceof Event.Lost lost) {
            messages.say(lost.loss().toString());
        }
    }

    private ProcessGroup.Sent signal(String name) throws InterruptedException {
        ProcessGroup.Sent sent = group.signal(name);
        if (sent == ProcessGroup.Sent.REFUSED) {
            messages.sayIfNew("cannot send " + name + " to the command, because it runs as another user");
        }
        return sent;
    }

    /** Stops or kills the command if it is time, and returns how long to wait until the next look. */
    private long check() throws InterruptedException {
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
        return untilKill <= 0 ? LONGEST_WAIT : untilKill;
    }

    private void stop(boolean held) throws InterruptedException {
        stopped = true;
        end = System.nanoTime() + patience;
        if (held) {
            messages.say("lock \"" + hold.lockName() + "\" is about to be lost: stopping the command");
            group.endAtOnce();
        } else {
            messages.say("lock \"" + hold.lockName() + "\" is lost: stopping the command");
        }
        var unused = signal("TERM");
    }

    private void kill() throws InterruptedException {
        if (!killing) {
            killing = true;
            messages.say("killing the command");
        }
        killed = signal("KILL") != ProcessGroup.Sent.UNKNOWN;
    }

    /** Returns when the group has no process, or when the lock is lost and a process does not end. */
    private void endTheRest() throws InterruptedException {
        long begin = System.nanoTime();
        boolean told = stopped;
        while (group.isLiving()) {
            long waited = System.nanoTime() - begin;
            if (!told && waited > GRACE) {
                told = true;
                messages.say("stopping what the command has left running");
                var unused = signal("TERM");
            }
            boolean held = hold.isHeld() && hold.remaining().toNanos() > margin;
            if (!killed && (!held || waited > GRACE + patience)) {
                kill();
            }
            boolean stuck = killed && waited > GRACE + 2 * patience;
            if (stuck && !hold.isHeld()) {
                messages.say("a process of the command does not end, and lock \"" + hold.lockName() + "\" is lost");
                return;
            }
            if (stuck) {
                messages.sayIfNew("a process of the command does not end: lock \"" + hold.lockName()
                        + "\" stays held until it does");
            }
            handleEvent(stuck ? LONGEST_WAIT : LOOK_AGAIN);
        }
    }
}
