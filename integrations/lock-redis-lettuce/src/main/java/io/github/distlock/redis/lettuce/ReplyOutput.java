package io.github.distlock.redis.lettuce;

import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Reads a reply of any form: {@code Long}, {@code byte[]}, null, or a list of these. A map becomes a list. */
final class ReplyOutput extends CommandOutput<byte[], byte[], @Nullable Object> {
    private final Deque<Level> open = new ArrayDeque<>();

    /** A list that is not complete. */
    private record Level(List<@Nullable Object> items, int size) {}

    ReplyOutput() {
        super(ByteArrayCodec.INSTANCE, null);
    }

    @Override
    public void set(@Nullable ByteBuffer bytes) {
        add(bytes == null ? null : codec.decodeValue(bytes));
    }

    @Override
    public void set(long integer) {
        add(integer);
    }

    @Override
    public void multi(int count) {
        if (count < 0) {
            add(null);
            return;
        }
        Level level = new Level(new ArrayList<>(count), count);
        open.push(level);
        closeFull();
    }

    private void add(@Nullable Object value) {
        Level level = open.peek();
        if (level == null) {
            output = value;
            return;
        }
        level.items.add(value);
        closeFull();
    }

    private void closeFull() {
        Level level = open.peek();
        if (level != null && level.items.size() == level.size) {
            open.pop();
            add(level.items);
        }
    }
}
