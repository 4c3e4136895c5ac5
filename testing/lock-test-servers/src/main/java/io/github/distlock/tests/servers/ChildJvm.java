package io.github.distlock.tests.servers;

import java.io.File;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** Builds command lines of JVMs that start fast, use little memory, and have the class path of this JVM. */
final class ChildJvm {
    static final List<String> SMALL =
            List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx128m", "-XX:-UsePerfData");

    private ChildJvm() {}

    static List<String> command(List<String> jvmOptions, String mainClass, List<String> arguments) {
        return command(classPath(), jvmOptions, mainClass, arguments);
    }

    static List<String> command(String classPath, List<String> jvmOptions, String mainClass, List<String> arguments) {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(SMALL);
        command.addAll(jvmOptions);
        command.add("-cp");
        command.add(classPath);
        command.add(mainClass);
        command.addAll(arguments);
        return command;
    }

    /** Returns the options that give a child JVM the system properties {@code lock.…} of this JVM. */
    static List<String> serverProperties() {
        return System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith("lock."))
                .map(name -> "-D" + name + "=" + System.getProperty(name))
                .toList();
    }

    /** Returns the class path of this JVM. */
    static String classPath() {
        return Stream.of("java.class.path", "jdk.module.path")
                .map(System::getProperty)
                .filter(Objects::nonNull)
                .filter(path -> !path.isEmpty())
                .collect(Collectors.joining(File.pathSeparator));
    }
}
