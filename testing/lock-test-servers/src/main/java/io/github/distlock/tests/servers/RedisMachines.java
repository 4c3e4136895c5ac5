package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Creates machines for Redis servers, with their configuration. */
final class RedisMachines {
    /** The line of a node of a cluster. */
    static final String CLUSTER_ENABLED = "cluster-enabled yes";

    private static final String CONFIG = "redis.conf";
    /** From the port of a node to the one at which it talks to other nodes. */
    private static final int TO_CLUSTER_BUS = 10_000;

    private RedisMachines() {}

    static Kind kind() {
        return Kind.of("Redis", "lock.redis.image", "redis:7-alpine");
    }

    static Machine newMachine(List<String> configLines) {
        Kind kind = kind();
        return kind.containers ? Containers.newMachine(kind.image, configLines) : newProcess(configLines);
    }

    /** A separate class, so that processes do not need Testcontainers on the class path. */
    private static final class Containers {
        private static final int PORT = 6379;

        static Machine newMachine(String image, List<String> configLines) {
            String config = "/" + CONFIG;
            return new ContainerMachine(new ContainerMachine.Layout(
                    image,
                    PORT,
                    Map.of(config, config("0.0.0.0", PORT, "/data", configLines)),
                    List.of("redis-server", config),
                    Map.of(),
                    ""));
        }
    }

    /** Returns a process, whatever the kind of servers. */
    static Machine newProcess(List<String> configLines, String... options) {
        String program = RedisBinary.path().toString();
        int port = newPort(configLines);
        Path directory = TemporaryFiles.newDirectory("redis");
        Path config = directory.resolve(CONFIG);
        try {
            Files.writeString(
                    config,
                    config(Ports.LOOPBACK, port, ProcessMachine.data(directory).toString(), configLines));
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the configuration of Redis", e);
        }
        List<String> command = new ArrayList<>(List.of(program, config.toString()));
        command.addAll(List.of(options));
        return new ProcessMachine(port, directory, command, Map.of());
    }

    static int newPort(List<String> configLines) {
        return configLines.contains(CLUSTER_ENABLED) ? Ports.freeWith(TO_CLUSTER_BUS) : Ports.free();
    }

    static String config(String address, int port, String directory, List<String> configLines) {
        List<String> lines = new ArrayList<>(List.of(
                "bind " + address,
                "port " + port,
                "dir \"" + directory + "\"",
                "protected-mode no",
                "save \"\"",
                "appendonly no"));
        lines.addAll(configLines);
        return String.join("\n", lines) + "\n";
    }
}
