package io.github.distlock.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.servers.ZooKeeperServer;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The verbs, on ZooKeeper. */
@Tag("binary")
class ZooKeeperTest {
    private static ZooKeeperServer server;

    @BeforeAll
    static void start() {
        server = ZooKeeperServer.start();
    }

    @AfterAll
    static void end() {
        server.close();
    }

    private static Binary run(String... arguments) {
        return Binary.start("zookeeper://" + server.connectString() + "/", arguments);
    }

    @Test
    void aCommandRunsUnderALockThatTheOtherVerbsShow() {
        try (Binary run =
                run("run", "--lease", "40s", "a/b", "--", "sh", "-c", "echo $DISTLOCK_TOKEN; read line; exit 4")) {
            String token = run.line();
            try (Binary busy = run("run", "-n", "a/b", "--", "echo", "ran");
                    Binary who = run("who", "a/b", "-o", "json");
                    Binary list = run("list", "a/");
                    Binary doctor = run("doctor")) {
                assertEquals(75, busy.code(), busy::errors);
                String shown = who.line();
                assertTrue(shown.contains("\"token\":\"" + token + "\""), shown);
                assertEquals(List.of("a/b"), Result.of(list).output());
                assertEquals(0, doctor.code(), doctor::errors);
            }

            run.send("go on");

            assertEquals(4, run.code(), run::errors);
        }
    }

    @Test
    void aLockThatIsTakenAwayStopsTheCommandWith80() {
        try (Binary run =
                run("run", "--lease", "40s", "taken", "--", "sh", "-c", "echo $DISTLOCK_TOKEN; exec sleep 600")) {
            try (Binary release = run("release", "taken", "--token", run.line())) {
                assertEquals(0, release.code(), release::errors);
            }

            assertEquals(80, run.code(), run::errors);
        }
    }
}
