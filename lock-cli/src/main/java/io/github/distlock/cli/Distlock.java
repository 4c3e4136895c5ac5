package io.github.distlock.cli;

import io.github.distlock.LockException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;

/** The program {@code distlock}. */
@Command(
        name = "distlock",
        description = "Runs commands under distributed locks, and shows and releases such locks.",
        mixinStandardHelpOptions = true,
        versionProvider = Distlock.Version.class,
        subcommands = {
            RunVerb.class,
            WhoVerb.class,
            ListVerb.class,
            TopVerb.class,
            ReleaseVerb.class,
            DoctorVerb.class,
            BenchVerb.class,
            AutoComplete.GenerateCompletion.class
        })
public final class Distlock {
    private Distlock() {}

    /**
     * Runs the program, and ends the process.
     *
     * @param arguments the arguments
     */
    public static void main(String[] arguments) {
        int code = ExitCode.INTERNAL;
        try {
            code = isUndecodable(arguments) ? ExitCode.USAGE : commandLine().execute(arguments);
        } catch (Error e) {
            code = report(e);
        } finally {
            System.exit(code);
        }
    }

    /** Java replaces what it cannot decode, so the name of a lock or an argument of a command would be another one. */
    private static boolean isUndecodable(String... arguments) {
        boolean found = Stream.of(arguments).anyMatch(each -> each.indexOf('\ufffd') >= 0);
        if (found) {
            print("an argument has characters outside the locale: set LC_ALL, for example to C.UTF-8");
        }
        return found;
    }

    static CommandLine commandLine() {
        CommandLine all = new CommandLine(new Distlock());
        all.getSubcommands().values().forEach(verb -> verb.getCommandSpec().versionProvider(new Version()));
        return all.setExpandAtFiles(false) // they may be arguments of a command
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setParameterExceptionHandler((failure, arguments) -> {
                    print(failure.getMessage());
                    print("see " + failure.getCommandLine().getCommandSpec().qualifiedName() + " --help");
                    return ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((failure, verb, parsed) -> report(failure));
    }

    private static int report(Throwable failure) {
        if (failure instanceof Failure known) {
            print(known.getMessage());
            return known.exitCode;
        }
        if (failure instanceof LockException) {
            print(failure.getMessage());
            return ExitCode.of(failure);
        }
        if (failure instanceof IllegalArgumentException || failure instanceof UnsupportedOperationException) {
            print(failure.getMessage());
            return ExitCode.USAGE;
        }
        print("internal error");
        failure.printStackTrace();
        return ExitCode.INTERNAL;
    }

    /** Prints a message for the user. The standard output is for results, and for the output of commands. */
    static void print(@Nullable String message) {
        System.err.println("distlock: " + message);
    }

    /** The version in the manifest of the jar. */
    static final class Version implements IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Distlock.class.getPackage().getImplementationVersion();
            return new String[] {"distlock " + (version == null ? "(not packaged)" : version)};
        }
    }
}
