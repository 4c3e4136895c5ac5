package io.github.distlock.cli;

import io.github.distlock.LockClient;
import io.github.distlock.LockStatus;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Shows a lock. */
@Command(
        name = "who",
        description = "Shows which clients hold a lock, and which wait for it.",
        mixinStandardHelpOptions = true)
final class WhoVerb implements Callable<Integer> {
    @Mixin
    StoreOptions store = new StoreOptions();

    @Mixin
    Output output = new Output();

    @Parameters(paramLabel = "NAME", description = "The name of the lock.")
    String name = "";

    @Override
    public Integer call() {
        try (LockClient client = store.client()) {
            LockStatus lock = client.inspector().inspect(name);
            output.print(Locks.json(lock), Locks.lines(lock));
            return 0;
        }
    }
}
