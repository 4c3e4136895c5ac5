package io.github.distlock.bench;

import io.github.distlock.tests.servers.ZooKeeperServer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Comparator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * Reads the counters of a ZooKeeper server, by four-letter words. The server is the child process that this JVM has
 * started last.
 */
final class ZooKeeperLoad {
    private static final Pattern REQUESTS = Pattern.compile("zk_packets_received\\s+(\\d+)");
    private static final Pattern ZXID = Pattern.compile("Zxid: 0x([0-9a-f]+)");
    private static final Pattern DATA = Pattern.compile("dataLogDir=(.+)");

    private final ZooKeeperServer server;
    private final ProcessHandle process;
    private final Path log;

    /** The counters of a server, or what it has spent between two readings. */
    record Reading(long requests, long transactions, long bytes, long cpuNanos) {
        Reading since(Reading before) {
            return new Reading(
                    requests - before.requests,
                    transactions - before.transactions,
                    bytes - before.bytes,
                    cpuNanos - before.cpuNanos);
        }
    }

    ZooKeeperLoad(ZooKeeperServer server) {
        this.server = server;
        this.process = ProcessHandle.current()
                .children()
                .filter(child -> child.info().command().orElse("").endsWith("java")) // Not a shell that ends servers.
                .max(Comparator.comparing(child -> child.info().startInstant().orElse(Instant.EPOCH)))
                .orElseThrow();
        this.log = Path.of(found(DATA, "conf").trim());
    }

    Reading read() {
        return new Reading(
                Long.parseLong(found(REQUESTS, "mntr")),
                Long.parseLong(found(ZXID, "srvr"), 16),
                logBytes(),
                process.info().totalCpuDuration().orElse(Duration.ZERO).toNanos());
    }

    private long logBytes() {
        try (Stream<Path> files = Files.list(log)) {
            long bytes = 0;
            for (Path file : files.toList()) {
                if (file.getFileName().toString().startsWith("log.")) {
                    bytes += Files.size(file);
                }
            }
            return bytes;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private String found(Pattern pattern, String word) {
        Matcher matcher = pattern.matcher(answer(word));
        if (!matcher.find()) {
            throw new IllegalStateException("no " + pattern + " in the server's answer to " + word);
        }
        return matcher.group(1);
    }

    private String answer(String word) {
        try (Socket socket = new Socket(server.host(), server.port())) {
            socket.getOutputStream().write(word.getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
