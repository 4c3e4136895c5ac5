package io.github.distlock.cli;

import io.github.distlock.LockClient;
import io.github.distlock.redis.HealthFinding;
import io.github.distlock.redis.HealthFinding.Severity;
import io.github.distlock.redis.HealthFinding.Subject;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Checks the servers. */
@Command(
        name = "doctor",
        description = "Checks whether the servers are fit for locks.",
        mixinStandardHelpOptions = true,
        footer = {"", "The exit code is 1 if an error was found, and 69 if a server does not answer."})
final class DoctorVerb implements Callable<Integer> {
    @Mixin
    StoreOptions store = new StoreOptions();

    @Mixin
    Output output = new Output();

    @Override
    public Integer call() throws InterruptedException {
        LockBackend backend = store.backend(Duration.ofSeconds(30));
        try (LockClient client = store.builder(backend).build()) {
            List<HealthFinding> findings;
            if (backend instanceof RedisBackend redis) {
                findings = redis.checkHealth(store.timeout);
            } else {
                var unused = client.inspector().list("", 1);
                Distlock.print("ZooKeeper answers; nothing else is checked");
                findings = List.of();
            }
            output.print(
                    Map.of("findings", findings.stream().map(DoctorVerb::json).toList()),
                    findings.stream().map(HealthFinding::toString).toList());
            return code(findings);
        }
    }

    private static int code(List<HealthFinding> findings) {
        List<HealthFinding> errors = findings.stream()
                .filter(finding -> finding.severity() == Severity.ERROR)
                .toList();
        if (errors.stream().anyMatch(error -> error.subject() == Subject.CONNECTION)) {
            return ExitCode.UNAVAILABLE;
        }
        return errors.isEmpty() ? 0 : ExitCode.NOT_OK;
    }

    private static Map<String, Object> json(HealthFinding finding) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("severity", finding.severity());
        json.put("subject", finding.subject());
        json.put("server", finding.server());
        json.put("found", finding.found());
        json.put("consequence", finding.consequence());
        json.put("remedy", finding.remedy());
        return json;
    }
}
