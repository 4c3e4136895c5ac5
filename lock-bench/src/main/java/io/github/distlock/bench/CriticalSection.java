package io.github.distlock.bench;

import io.github.distlock.LockHandle;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What a lock protects: a file that all JVMs map, with a number for each of them. A holder adds the weight of its hold
 * to the number of its JVM, and then adds up all numbers. If holds exclude each other, the sum is within the limit.
 * Each number is written before the others are read, and all accesses are volatile. So at least one of two holds that
 * overlap here finds the other.
 *
 * <p>A hold of this library that was lost does not count: its thread asks {@code isHeld()} before it enters, and again
 * if it finds another. The main program clears the number of a JVM that it has killed or stopped. The JVM leaves it at
 * zero then.
 */
final class CriticalSection {
    /** The most JVMs of a scenario. */
    static final int JVMS = 4;

    private static final VarHandle INT = MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

    private final ByteBuffer numbers;
    private final int own;

    CriticalSection(Path file, int jvm) {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE)) {
            numbers = channel.map(FileChannel.MapMode.READ_WRITE, 0, JVMS * Integer.BYTES);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        own = jvm * Integer.BYTES;
    }

    /** Clears the number of a JVM. */
    void clear(int jvm) {
        INT.setVolatile(numbers, jvm * Integer.BYTES, 0);
    }

    /** Enters and leaves, and returns whether the limit was exceeded. */
    boolean isExceeded(AutoCloseable hold, int weight, int limit) {
        if (weight == 0 || !isHeld(hold)) {
            return false;
        }
        var unused = (int) INT.getAndAdd(numbers, own, weight);
        long sum = 0;
        for (int jvm = 0; jvm < JVMS; jvm++) {
            sum += (int) INT.getVolatile(numbers, jvm * Integer.BYTES);
        }
        leave(weight);
        return sum > limit && isHeld(hold);
    }

    private void leave(int weight) {
        int before = (int) INT.getVolatile(numbers, own);
        while (!INT.compareAndSet(numbers, own, before, Math.max(0, before - weight))) {
            before = (int) INT.getVolatile(numbers, own);
        }
    }

    private static boolean isHeld(AutoCloseable hold) {
        return !(hold instanceof LockHandle handle) || handle.isHeld();
    }
}
