package io.github.distlock.engine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** This machine and process, for owner metadata. Asks no name service, which may take seconds. */
final class Host {
    static final String NAME = name();
    static final long PROCESS_ID = ProcessHandle.current().pid();

    private Host() {}

    private static String name() {
        try {
            String name = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
            if (!name.isEmpty()) {
                return name;
            }
        } catch (IOException | SecurityException e) {
            // Not Linux: the environment may know.
        }
        String windows = System.getenv("COMPUTERNAME");
        return windows != null ? windows : Objects.requireNonNullElse(System.getenv("HOSTNAME"), "localhost");
    }
}
