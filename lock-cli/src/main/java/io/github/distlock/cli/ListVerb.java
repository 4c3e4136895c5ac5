package io.github.distlock.cli;

import io.github.distlock.LockClient;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Lists names of locks. */
@Command(
        name = "list",
        description = "Lists the names of locks that are held, waited for or kept.",
        mixinStandardHelpOptions = true)
final class ListVerb implements Callable<Integer> {
    /** One more is asked for. */
    private static final int MOST = 99_999;

    @Mixin
    StoreOptions store = new StoreOptions();

    @Mixin
    Output output = new Output();

    @Option(
            names = "--limit",
            paramLabel = "NUMBER",
            defaultValue = "1000",
            description = "How many names at most; ${DEFAULT-VALUE} by default.")
    int limit;

    @Parameters(paramLabel = "PREFIX", arity = "0..1", defaultValue = "", description = "What the names begin with.")
    String prefix = "";

    @Override
    public Integer call() {
        Failure.requireRange("--limit", limit, 1, MOST);
        try (LockClient client = store.client()) {
            List<String> found = client.inspector().list(prefix, limit + 1);
            boolean isCut = found.size() > limit;
            List<String> names = found.stream().limit(limit).sorted().toList();
            output.print(Map.of("names", names, "cut", isCut), names);
            if (isCut) {
                Distlock.print("there are more names than " + limit + ": use --limit, or a longer prefix");
            }
            return 0;
        }
    }
}
