package io.github.distlock.cli;

import io.github.distlock.LockClient;
import io.github.distlock.LockInspector;
import io.github.distlock.LockStatus;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Takes a lock away from its holders, or asks them for it. */
@Command(
        name = "release",
        description = "Takes a lock away from the holder with a token, or from all holders, or asks them for it.",
        mixinStandardHelpOptions = true,
        footer = {"", "The exit code is 1 if there was nothing to release."})
final class ReleaseVerb implements Callable<Integer> {
    @Mixin
    StoreOptions store = new StoreOptions();

    @Mixin
    Output output = new Output();

    @Option(names = "--token", paramLabel = "TOKEN", description = "End the hold that has this token, and no other.")
    @Nullable
    Long token;

    @Option(names = "--force", description = "End all holds, after a question.")
    boolean force;

    @Option(names = "--ask", description = "Ask the holders to release the lock. It ends no hold.")
    boolean asks;

    @Option(names = "--yes", description = "Ask no question.")
    boolean yes;

    @Parameters(paramLabel = "NAME", description = "The name of the lock.")
    String name = "";

    @Override
    public Integer call() throws InterruptedException, IOException {
        if (Stream.of(token != null, force, asks).filter(chosen -> chosen).count() != 1) {
            throw new Failure(ExitCode.USAGE, "one of --token, --force and --ask is needed; who shows the token");
        }
        if (token != null && token <= 0) {
            throw new Failure(ExitCode.USAGE, "--token must be positive, but was " + token);
        }
        try (LockClient client = store.client()) {
            if (asks) {
                return requested(client.inspector().requestRelease(name));
            }
            if (force && !yes) {
                ask();
            }
            List<LockStatus.Holder> ended = end(client.inspector());
            output.print(
                    Map.of("released", ended.stream().map(Locks::json).toList()),
                    Locks.lines(LockStatus.free(name).withHolders(ended)).stream()
                            .map(line -> line.replaceFirst("^free$", "nothing to release")
                                    .replaceFirst("^held ", "ended"))
                            .toList());
            return ended.isEmpty() ? ExitCode.NOT_OK : 0;
        }
    }

    private int requested(int holders) {
        String text = "asked " + holders + (holders == 1 ? " holder" : " holders");
        output.print(Map.of("asked", holders), List.of(holders == 0 ? "nothing to release" : text));
        return holders == 0 ? ExitCode.NOT_OK : 0;
    }

    private List<LockStatus.Holder> end(LockInspector inspector) {
        return token == null
                ? inspector.forceRelease(name)
                : inspector.forceRelease(name, token).stream().toList();
    }

    private void ask() throws InterruptedException, IOException {
        if (!Terminal.isInput()) {
            throw new Failure(ExitCode.USAGE, "--force needs a terminal for its question, or --yes");
        }
        System.err.print("End all holds of lock \"" + name + "\"? Holders go on until their next renewal. [y/N] ");
        if (System.in.read() != 'y') {
            throw new Failure(ExitCode.NOT_OK, "nothing was released");
        }
    }
}
