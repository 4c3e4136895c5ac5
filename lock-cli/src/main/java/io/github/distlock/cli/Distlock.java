package io.github.distlock.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.ParameterException;

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
    /** What messages of the library call a parameter, with which they begin, and what it is called here. */
    private static final Map<String, String> PARAMETERS = Map.of(
            "name", "NAME",
            "prefix", "PREFIX",
            "lease", "--lease",
            "minimumHold", "--minimum-hold",
            "requestTimeout", "--timeout");

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
                .setUnmatchedOptionsAllowedAsOptionParameters(false) // their own values are missing
                .setParameterExceptionHandler((failure, arguments) -> {
                    messages(failure, arguments).forEach(Distlock::print);
                    return ExitCode.USAGE;
                })
                .setExecutionExceptionHandler((failure, verb, parsed) -> report(failure));
    }

    /** Returns what to say about arguments that have no meaning. */
    static List<String> messages(ParameterException failure, String... arguments) {
        CommandLine verb = failure.getCommandLine();
        List<String> messages = new ArrayList<>();
        messages.add(failure.getMessage());
        if (verb.getCommand() instanceof RunVerb run && !List.of(arguments).contains("--")) {
            messages.add(run.askForDashes());
        }
        messages.add("see " + verb.getCommandSpec().qualifiedName() + " --help");
        return messages;
    }

    private static int report(Throwable failure) {
        int code = ExitCode.of(failure);
        if (code != ExitCode.INTERNAL || failure instanceof Failure) {
            print(naming(failure));
        } else {
            print("internal error");
            failure.printStackTrace();
        }
        return code;
    }

    /**
     * Ends the process after a bug that may have left processes of a command. Releases nothing, as closing a client
     * would do: so the lock stays held until its lease ends.
     */
    static void halt(Throwable bug, Messages messages) throws InterruptedException {
        try {
            StringWriter trace = new StringWriter();
            bug.printStackTrace(new PrintWriter(trace));
            messages.say("internal error, and the command may still run: its lock stays held until its lease ends");
            messages.say(trace.toString());
            messages.close();
        } finally {
            Runtime.getRuntime().halt(ExitCode.INTERNAL);
        }
    }

    /** Returns the message with the name of the parameter here. */
    static String naming(Throwable failure) {
        String message = String.valueOf(failure.getMessage());
        String parameter = message.split(" ", 2)[0];
        return PARAMETERS.getOrDefault(parameter, parameter) + message.substring(parameter.length());
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
