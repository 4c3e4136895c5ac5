package io.github.distlock.tests.servers;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Creates machines for ZooKeeper servers, with their configuration. */
final class ZooKeeperMachines {
    /** The server shares the class path of the tests, but not their settings of Logback: it logs its errors. */
    private static final String LOGGING = """
            <configuration>
              <appender name="output" class="ch.qos.logback.core.ConsoleAppender">
                <encoder><pattern>%d{HH:mm:ss.SSS} %-5level %logger{0}: %msg%n%ex{1}</pattern></encoder>
              </appender>
              <root level="ERROR"><appender-ref ref="output"/></root>
            </configuration>
            """;

    private static final String MAIN = "org.apache.zookeeper.server.quorum.QuorumPeerMain";

    private ZooKeeperMachines() {}

    static Kind kind() {
        return Kind.of("ZooKeeper", "lock.zookeeper.image", "zookeeper:3.9");
    }

    static Machine single(ZooKeeperSettings settings) {
        Kind kind = kind();
        return kind.containers ? Containers.single(kind.image, settings) : process(settings, Ports.free(), 0);
    }

    static List<Machine> ensemble(ZooKeeperSettings settings, int size) {
        Kind kind = kind();
        return kind.containers ? Containers.ensemble(kind.image, settings, size) : processes(settings, size);
    }

    /** A separate class, so that processes do not need Testcontainers on the class path. */
    private static final class Containers {
        private static final int PORT = 2181;
        private static final String DATA = "/data";

        static Machine single(String image, ZooKeeperSettings settings) {
            return machine(image, settings, 0, "");
        }

        static List<Machine> ensemble(String image, ZooKeeperSettings settings, int size) {
            List<String> addresses = new ArrayList<>();
            ZooKeeperSettings shared = settings;
            for (int member = 1; member <= size; member++) {
                String address = ContainerNetwork.shared().newAddress();
                addresses.add(address);
                shared = shared.with("server." + member, address + ":2888:3888");
            }
            List<Machine> machines = new ArrayList<>();
            for (int member = 1; member <= size; member++) {
                machines.add(machine(image, shared, member, addresses.get(member - 1)));
            }
            return machines;
        }

        private static Machine machine(String image, ZooKeeperSettings settings, int member, String address) {
            Map<String, String> files = new HashMap<>();
            files.put("/conf/zoo.cfg", config(settings, DATA, PORT));
            dataFiles(member).forEach((name, content) -> files.put(DATA + "/" + name, content));
            String options = String.join(" ", ChildJvm.SMALL) + " " + String.join(" ", systemProperties(settings));
            return new ContainerMachine(new ContainerMachine.Layout(
                    image,
                    PORT,
                    files,
                    List.of(),
                    Map.of("JAVA_TOOL_OPTIONS", options, "ZK_SERVER_HEAP", "128"),
                    address));
        }
    }

    private static List<Machine> processes(ZooKeeperSettings settings, int size) {
        ZooKeeperSettings shared = settings;
        for (int member = 1; member <= size; member++) {
            shared = shared.with("server." + member, Ports.LOOPBACK + ":" + Ports.free() + ":" + Ports.free());
        }
        List<Machine> machines = new ArrayList<>();
        for (int member = 1; member <= size; member++) {
            machines.add(process(shared, Ports.free(), member));
        }
        return machines;
    }

    private static Machine process(ZooKeeperSettings settings, int port, int member) {
        requireClasses();
        Path directory = TemporaryFiles.newDirectory("zookeeper");
        Path config = directory.resolve("zoo.cfg");
        Path logging = directory.resolve("logback.xml");
        ZooKeeperSettings local = settings.with("clientPortAddress", Ports.LOOPBACK);
        List<String> options = new ArrayList<>(systemProperties(settings));
        options.add("-Dlogback.configurationFile=" + logging);
        try {
            Files.writeString(
                    config, config(local, ProcessMachine.data(directory).toString(), port));
            Files.writeString(logging, LOGGING);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot write the configuration of ZooKeeper", e);
        }
        return new ProcessMachine(
                port, directory, ChildJvm.command(options, MAIN, List.of(config.toString())), dataFiles(member));
    }

    private static List<String> systemProperties(ZooKeeperSettings settings) {
        return settings.systemProperties().entrySet().stream()
                .map(property -> "-D" + property.getKey() + "=" + property.getValue())
                .toList();
    }

    static Map<String, String> dataFiles(int member) {
        return member == 0 ? Map.of() : Map.of("myid", String.valueOf(member));
    }

    static String config(ZooKeeperSettings settings, String data, int port) {
        List<String> lines = new ArrayList<>(List.of("dataDir=" + data.replace('\\', '/'), "clientPort=" + port));
        settings.lines().forEach((key, value) -> lines.add(key + "=" + value));
        return String.join("\n", lines) + "\n";
    }

    private static void requireClasses() {
        for (String name : List.of(MAIN, "com.codahale.metrics.Reservoir", "org.xerial.snappy.SnappyInputStream")) {
            try {
                Class.forName(name, false, ClassLoader.getSystemClassLoader());
            } catch (ClassNotFoundException e) {
                throw new IllegalStateException(
                        "no ZooKeeper server: add org.apache.zookeeper:zookeeper, io.dropwizard.metrics:metrics-core "
                                + "and org.xerial.snappy:snappy-java to the class path",
                        e);
            }
        }
    }
}
