package io.github.distlock.cli;

import java.io.IOException;

/**
 * Runs distlock, and interrupts its thread once its standard input has a byte. Nothing else does so, and it ends the
 * supervision of a command as a bug would. The command must not read the standard input.
 */
final class InterruptedRun {
    private InterruptedRun() {}

    public static void main(String[] arguments) {
        Thread distlock = Thread.currentThread();
        Thread fault = new Thread(() -> interruptAfterInput(distlock), "fault");
        fault.setDaemon(true);
        fault.start();
        Distlock.main(arguments);
    }

    private static void interruptAfterInput(Thread distlock) {
        try {
            if (System.in.read() >= 0) {
                distlock.interrupt();
            }
        } catch (IOException e) {
            // The input has ended.
        }
    }
}
