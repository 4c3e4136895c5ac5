package io.github.distlock.tests;

import java.lang.reflect.Method;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;

/** Virtual threads, on a Java that has them (21 or later). */
public final class VirtualThreads {
    private static final @Nullable Method BUILDER = builder();

    private VirtualThreads() {}

    private static @Nullable Method builder() {
        try {
            return Thread.class.getMethod("ofVirtual");
        } catch (NoSuchMethodException e) {
            return null;
        }
    }

    /**
     * Returns whether this Java has virtual threads.
     *
     * @return false before Java 21
     */
    public static boolean exist() {
        return BUILDER != null;
    }

    /**
     * Returns what makes virtual threads, and platform threads on a Java that has no virtual ones.
     *
     * @return a new factory of threads that are not started
     */
    public static ThreadFactory factory() {
        if (BUILDER == null) {
            return Thread::new;
        }
        try {
            return (ThreadFactory) Class.forName("java.lang.Thread$Builder")
                    .getMethod("factory")
                    .invoke(BUILDER.invoke(null));
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this Java has a builder of virtual threads that does not work", e);
        }
    }
}
