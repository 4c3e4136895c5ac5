package io.github.distlock.bench;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.locks.LockSupport;

/**
 * A program between clients and a server. It delivers what it reads after a fixed time, in both directions. Many
 * requests can be under way at the same time, as in a network. Arguments: port of the server, microseconds each way.
 * The program prints its own port.
 */
final class DelayedLink {
    private static final int CHUNK = 64 * 1024;

    private DelayedLink() {}

    /**
     * Runs the program until it is killed.
     *
     * @param args see the class comment
     * @throws IOException if the link cannot listen, or the server refuses a connection
     */
    public static void main(String[] args) throws IOException {
        sleepExactly();
        InetAddress host = InetAddress.getLoopbackAddress();
        int server = Integer.parseInt(args[0]);
        long delay = Long.parseLong(args[1]) * 1_000;
        try (ServerSocket listener = new ServerSocket(0, 1_000, host)) {
            System.out.println(listener.getLocalPort());
            while (true) {
                Socket client = listener.accept();
                Socket upstream = new Socket(host, server);
                client.setTcpNoDelay(true);
                upstream.setTcpNoDelay(true);
                new Direction(client, upstream, delay).start();
                new Direction(upstream, client, delay).start();
            }
        }
    }

    /** Removes the 50 microseconds that Linux adds to each sleep of a thread by default. New threads inherit this. */
    private static void sleepExactly() throws IOException {
        Path thread = Path.of("/proc/thread-self");
        if (Files.exists(thread)) {
            String id = thread.toRealPath().getFileName().toString();
            Files.writeString(Path.of("/proc", id, "timerslack_ns"), "1");
        }
    }

    private static final class Chunk {
        private final byte[] bytes;
        private final long due;

        private Chunk(byte[] bytes, long due) {
            this.bytes = bytes;
            this.due = due;
        }
    }

    private static final class Direction {
        private final Socket from;
        private final Socket to;
        private final long delay;
        private final BlockingQueue<Chunk> chunks = new LinkedBlockingQueue<>();

        private Direction(Socket from, Socket to, long delay) {
            this.from = from;
            this.to = to;
            this.delay = delay;
        }

        private void start() {
            new Thread(this::read).start();
            new Thread(this::write).start();
        }

        private void read() {
            byte[] buffer = new byte[CHUNK];
            try {
                for (int length = from.getInputStream().read(buffer); length >= 0; ) {
                    chunks.add(new Chunk(Arrays.copyOf(buffer, length), System.nanoTime() + delay));
                    length = from.getInputStream().read(buffer);
                }
            } catch (IOException e) {
                // The connection has ended.
            }
            chunks.add(new Chunk(new byte[0], System.nanoTime() + delay));
        }

        private void write() {
            try (from;
                    to) {
                for (Chunk next = chunks.take(); next.bytes.length > 0; next = chunks.take()) {
                    for (long left = left(next); left > 0; left = left(next)) {
                        LockSupport.parkNanos(left);
                    }
                    to.getOutputStream().write(next.bytes);
                }
            } catch (IOException | InterruptedException e) {
                // The connection has ended.
            }
        }

        private static long left(Chunk chunk) {
            return chunk.due - System.nanoTime();
        }
    }
}
