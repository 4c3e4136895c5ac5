package io.github.distlock.bench;

import java.util.ArrayDeque;
import java.util.Queue;

/**
 * The cores of a simulated machine. Work waits for a free core in order of arrival, and is not interrupted. Not
 * thread-safe.
 */
final class Cores {
    private final VirtualTime time;
    private final int number;
    /** How long a core takes for a microsecond of counted CPU time. */
    private final double slowness;

    private final Queue<Runnable> waiting = new ArrayDeque<>();
    private int running;

    Cores(VirtualTime time, int number, double slowness) {
        this.time = time;
        this.number = number;
        this.slowness = slowness;
    }

    boolean hasIdle() {
        return running < number;
    }

    /** Runs work that takes this CPU time. */
    void run(double micros, Runnable then) {
        if (hasIdle()) {
            begin(micros, then);
        } else {
            waiting.add(() -> begin(micros, then));
        }
    }

    private void begin(double micros, Runnable then) {
        running++;
        time.after(micros * slowness, () -> {
            running--;
            Runnable next = waiting.poll();
            if (next != null) {
                next.run();
            }
            then.run();
        });
    }
}
