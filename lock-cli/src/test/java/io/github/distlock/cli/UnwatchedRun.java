package io.github.distlock.cli;

import java.lang.reflect.Field;
import java.util.concurrent.ThreadPoolExecutor;

/**
 * Runs distlock in a JVM that starts one thread less for processes than it should. The first process is the guard. The
 * second one is the command: it starts, and Java then fails to start the thread that waits for its end.
 */
final class UnwatchedRun {
    private UnwatchedRun() {}

    public static void main(String[] arguments) throws ReflectiveOperationException {
        Field threads = Class.forName("java.lang.ProcessHandleImpl").getDeclaredField("processReaperExecutor");
        threads.setAccessible(true);
        ((ThreadPoolExecutor) threads.get(null)).setMaximumPoolSize(1);
        Distlock.main(arguments);
    }
}
