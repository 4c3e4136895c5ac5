package io.github.distlock.bench;

import io.github.distlock.tests.servers.ChildProgram;
import io.github.distlock.tests.servers.FaultProxy;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;

/**
 * Three ZooKeeper servers, as processes. Each reaches the quorum port of each other server through a proxy of its own.
 * The limits on session timeouts are those of the tick.
 */
final class LinkedEnsemble implements AutoCloseable {
    private static final int SIZE = 3;
    private static final String MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain";
    private static final String HOST = InetAddress.getLoopbackAddress().getHostAddress();

    private final List<Integer> clientPorts = new ArrayList<>();
    private final List<ChildProgram> members = new ArrayList<>();
    private final List<Path> directories = new ArrayList<>();
    /** The link from one member to another is at {@code from * SIZE + to}. */
    private final List<FaultProxy> links = new ArrayList<>();

    LinkedEnsemble(Duration tick, int syncLimit) {
        List<Integer> quorumPorts = freePorts();
        List<Integer> electionPorts = freePorts();
        clientPorts.addAll(freePorts());
        for (int link = 0; link < SIZE * SIZE; link++) {
            links.add(FaultProxy.to(HOST, quorumPorts.get(link % SIZE)));
        }
        try {
            for (int from = 0; from < SIZE; from++) {
                members.add(start(from, tick, syncLimit, quorumPorts, electionPorts));
            }
        } catch (IOException e) {
            close();
            throw new UncheckedIOException(e);
        }
    }

    private ChildProgram start(int from, Duration tick, int syncLimit, List<Integer> quorum, List<Integer> election)
            throws IOException {
        Path directory = Files.createTempDirectory("linked");
        directories.add(directory);
        Files.writeString(directory.resolve("myid"), String.valueOf(from + 1));
        List<String> lines = new ArrayList<>(List.of(
                "dataDir=" + directory,
                "clientPort=" + clientPorts.get(from),
                "clientPortAddress=" + HOST,
                "tickTime=" + tick.toMillis(),
                "initLimit=20",
                "syncLimit=" + syncLimit,
                "forceSync=no",
                "maxClientCnxns=0",
                "admin.enableServer=false",
                "4lw.commands.whitelist=*"));
        for (int to = 0; to < SIZE; to++) {
            int port = to == from ? quorum.get(to) : link(from, to).port();
            lines.add("server." + (to + 1) + "=" + HOST + ":" + port + ":" + election.get(to));
        }
        Path config = Files.write(directory.resolve("zoo.cfg"), lines);
        return ChildProgram.start(System.getProperty("java.class.path"), List.of(), MAIN, config.toString());
    }

    private static List<Integer> freePorts() {
        List<ServerSocket> sockets = new ArrayList<>();
        try {
            for (int i = 0; i < SIZE; i++) {
                sockets.add(new ServerSocket(0));
            }
            List<Integer> ports =
                    sockets.stream().map(ServerSocket::getLocalPort).toList();
            for (ServerSocket socket : sockets) {
                socket.close();
            }
            return ports;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Returns the link over which one member, if it follows, talks to another one, if that leads. */
    FaultProxy link(int from, int to) {
        return links.get(from * SIZE + to);
    }

    int port(int member) {
        return clientPorts.get(member);
    }

    String address(int member) {
        return HOST + ":" + port(member);
    }

    void suspend(int member) {
        members.get(member).suspend();
    }

    void resume(int member) {
        members.get(member).resume();
    }

    /** Waits until all members serve clients, and returns the one that leads. */
    int awaitLeader() {
        while (true) {
            int leader = -1;
            int serving = 0;
            for (int member = 0; member < SIZE; member++) {
                String status = status(member);
                serving += status.contains("Mode:") ? 1 : 0;
                leader = status.contains("Mode: leader") ? member : leader;
            }
            if (serving == SIZE && leader >= 0) {
                return leader;
            }
            LockSupport.parkNanos(Duration.ofMillis(200).toNanos());
        }
    }

    private String status(int member) {
        try (Socket socket = new Socket(HOST, port(member))) {
            socket.setSoTimeout(1_000);
            socket.getOutputStream().write("srvr".getBytes(StandardCharsets.US_ASCII));
            return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            return "";
        }
    }

    @Override
    public void close() {
        members.forEach(ChildProgram::close);
        links.forEach(FaultProxy::close);
        directories.forEach(LinkedEnsemble::delete);
    }

    private static void delete(Path directory) {
        try (Stream<Path> files = Files.walk(directory)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
