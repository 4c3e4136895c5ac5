package io.github.distlock.simulator;

import java.io.IOException;
import java.io.InputStream;
import java.lang.instrument.Instrumentation;
import java.lang.instrument.UnmodifiableClassException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.jar.JarOutputStream;

/** Begins to rewrite classes before the program starts. See {@link Rewriter}. */
public final class SimulatorAgent {
    private static volatile boolean active;

    private SimulatorAgent() {}

    /**
     * Called by the JVM for {@code -javaagent}.
     *
     * @param arguments none
     * @param instrumentation what the JVM offers
     * @throws IOException if no temporary file can be written
     * @throws UnmodifiableClassException never
     * @throws IllegalStateException if this JDK lacks what a simulation has to replace
     */
    public static void premain(String arguments, Instrumentation instrumentation)
            throws IOException, UnmodifiableClassException {
        instrumentation.appendToBootstrapClassLoaderSearch(hooks());
        Rewriter rewriter = new Rewriter();
        instrumentation.addTransformer(rewriter, true);
        for (Class<?> loaded : instrumentation.getAllLoadedClasses()) {
            if (instrumentation.isModifiableClass(loaded)
                    && Rewriter.concerns(loaded.getName().replace('.', '/'))) {
                instrumentation.retransformClasses(loaded);
            }
        }
        rewriter.requireComplete();
        active = true;
    }

    /** Returns whether this JVM can run simulations. */
    static boolean isActive() {
        return active;
    }

    /** The JDK's classes see only what the bootstrap loader finds. */
    private static JarFile hooks() throws IOException {
        Path jar = Files.createTempFile("distlock-hooks-", ".jar");
        jar.toFile().deleteOnExit();
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar))) {
            // By name: this loader must not load them.
            for (String name : List.of("Hooks", "Machine")) {
                String entry = "io/github/distlock/simulator/hooks/" + name + ".class";
                out.putNextEntry(new JarEntry(entry));
                try (InputStream in = SimulatorAgent.class.getClassLoader().getResourceAsStream(entry)) {
                    if (in == null) {
                        throw new IOException("no " + entry);
                    }
                    in.transferTo(out);
                }
            }
        }
        return new JarFile(jar.toFile());
    }
}
