package io.github.distlock.redis;

import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.LockClock;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.SocketAddress;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.net.StandardProtocolFamily;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.time.Duration;

/**
 * A Unix socket with streams and a timeout, as Jedis needs them. The JDK has only a channel, which has neither. One
 * thread may read while another one writes, and any thread may close the socket.
 *
 * <p><b>Closing wakes threads.</b> The channel never blocks. A thread that can neither read nor write waits at a
 * selector: one for reads, another one for writes. {@link #close} closes the channel first, and then the selectors,
 * which wakes the threads. A thread that waits a moment later finds its selector closed.
 *
 * <p><b>No thread uses the socket of another connection.</b> The operating system gives the number of a closed socket
 * to the next one. The channel keeps its number until no selector knows the channel, and a selector forgets it only
 * after the thread that waits there has left. Reads and writes under way end before that, because they do not block.
 *
 * <p><b>Interrupts</b> wake a selector. They end no read and no write here, as they end none of a TCP socket on a
 * platform thread: the thread waits again, and is interrupted afterwards. A virtual thread keeps its carrier while it
 * waits.
 *
 * <p><b>Connecting</b> does not wait. If the server's queue of new connections is full, it fails.
 */
@SuppressWarnings("UnsynchronizedOverridesSynchronized") // Closing must not wait for a thread that reads or writes.
final class UnixSocket extends Socket {
    private static final String CLOSED = "the socket is closed";

    private final SocketChannel channel;
    private final Selector readable;
    private final Selector writable;
    private volatile int timeoutMillis;

    /** Opens a socket, which is not connected. */
    UnixSocket() throws IOException {
        channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        Selector reads = null;
        Selector writes = null;
        try {
            channel.configureBlocking(false);
            reads = channel.provider().openSelector();
            writes = channel.provider().openSelector();
        } finally {
            if (writes == null) {
                channel.close();
                if (reads != null) {
                    reads.close();
                }
            }
        }
        readable = reads;
        writable = writes;
    }

    @Override
    public void connect(SocketAddress file, int timeout) throws IOException {
        try {
            if (!channel.connect(file)) {
                throw new SocketException("the server does not accept the connection at once");
            }
            channel.register(readable, SelectionKey.OP_READ);
            channel.register(writable, SelectionKey.OP_WRITE);
        } catch (ClosedChannelException | ClosedSelectorException e) {
            throw new SocketException(CLOSED);
        }
    }

    private interface Transfer {
        /** Returns how many bytes it has read or written, -1 at the end of the stream, or 0 if it has to wait. */
        int now() throws IOException;
    }

    /**
     * Transfers some bytes, as soon as that is possible.
     *
     * @param timeout in milliseconds; 0 waits without a limit
     */
    private int transfer(Transfer transfer, Selector possible, int timeout) throws IOException {
        Deadline deadline = Deadline.after(Duration.ofMillis(timeout), LockClock.system());
        boolean interrupted = false;
        try {
            for (int count = transfer.now(); ; count = transfer.now()) {
                if (count != 0) {
                    return count;
                }
                if (timeout != 0 && deadline.hasPassed()) {
                    throw new SocketTimeoutException("no reply within " + timeout + " ms");
                }
                possible.select(key -> {}, timeout == 0 ? 0 : Math.max(1, deadline.remainingMillis()));
                interrupted |= Thread.interrupted();
            }
        } catch (ClosedChannelException | ClosedSelectorException e) {
            throw new SocketException(CLOSED);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public InputStream getInputStream() {
        return new Input();
    }

    private final class Input extends InputStream {
        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            ByteBuffer target = ByteBuffer.wrap(bytes, offset, length);
            return length == 0 ? 0 : transfer(() -> channel.read(target), readable, timeoutMillis);
        }
    }

    @Override
    public OutputStream getOutputStream() {
        return new Output();
    }

    private final class Output extends OutputStream {
        @Override
        public void write(int value) throws IOException {
            write(new byte[] {(byte) value}, 0, 1);
        }

        @Override
        public void write(byte[] bytes, int offset, int length) throws IOException {
            ByteBuffer source = ByteBuffer.wrap(bytes, offset, length);
            while (source.hasRemaining()) {
                var unused = transfer(() -> channel.write(source), writable, 0);
            }
        }
    }

    @Override
    public void setSoTimeout(int millis) {
        timeoutMillis = millis;
    }

    @Override
    public int getSoTimeout() {
        return timeoutMillis;
    }

    // Settings of TCP, which have no effect here. After a close, the server still reads what it has received.

    @Override
    public void setKeepAlive(boolean on) {}

    @Override
    public void setTcpNoDelay(boolean on) {}

    @Override
    public void setSoLinger(boolean on, int seconds) {}

    @Override
    public boolean isBound() {
        return isConnected();
    }

    @Override
    public boolean isConnected() {
        return channel.isConnected();
    }

    @Override
    public boolean isClosed() {
        return !channel.isOpen();
    }

    @Override
    public void close() throws IOException {
        try (readable;
                writable) {
            channel.close();
        }
    }

    @Override
    public String toString() {
        return "UnixSocket[" + channel + "]";
    }
}
