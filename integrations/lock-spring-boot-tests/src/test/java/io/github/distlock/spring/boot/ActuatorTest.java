package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.memory.InMemoryStore;
import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** What the actuator's pages say about locks, over HTTP. */
class ActuatorTest {
    private static WebApplication application;

    private final LockClient locks = application.context.getBean("lockClient", LockClient.class);
    private final LockClient other = application.context.getBean("other", LockClient.class);

    @BeforeAll
    static void start() {
        application = WebApplication.start();
    }

    @AfterAll
    static void stop() {
        application.close();
    }

    @AfterEach
    void resume() {
        application.connection().resume();
    }

    @Test
    void healthIsDownOnlyWhileTheStoreDoesNotAnswer() throws IOException, InterruptedException {
        assertHealth("/health/distlock", 200, "UP");

        application.connection().pause();
        assertHealth("/health/distlock", 503, "DOWN");

        application.connection().resume();
        assertHealth("/health/distlock", 200, "UP");
    }

    @Test
    void busyAndLostLocksLeaveTheHealthUp() throws IOException, InterruptedException {
        try (LockHandle busy = other.lock("health/busy").acquire()) {
            var unused = locks.lock("health/lost").acquire();
            application.context.getBean(InMemoryStore.class).lose("health/lost");

            assertThat(locks.lock("health/busy").tryAcquire()).isEmpty();
            assertHealth("/health/distlock", 200, "UP");
        }
    }

    @Test
    void aSilentStoreChangesNeitherLivenessNorReadiness() throws IOException, InterruptedException {
        application.connection().pause();

        assertHealth("/health/liveness", 200, "UP");
        assertHealth("/health/readiness", 200, "UP");
    }

    private static void assertHealth(String path, int code, String status) throws IOException, InterruptedException {
        HttpResponse<String> health = application.get(path);

        assertThat(health.body()).contains("\"status\":\"" + status + "\"");
        assertThat(health.statusCode()).isEqualTo(code);
    }

    @Test
    void theEndpointShowsALockWhoseNameHasSlashes() throws IOException, InterruptedException {
        try (LockHandle held = other.lock("orders/42").acquire()) {
            HttpResponse<String> lock = application.get("/locks?name=orders/42");

            assertThat(lock.statusCode()).isEqualTo(200);
            assertThat(lock.body())
                    .contains("\"name\":\"orders/42\"", "\"mode\":\"EXCLUSIVE\"", "\"remainingLease\":\"PT")
                    .contains("\"token\":\"" + token(held) + "\"", "\"waiters\":[]")
                    .containsPattern("\"since\":\"\\d{4}-");
        }
    }

    @Test
    void theEndpointListsNamesWithAPrefix() throws IOException, InterruptedException {
        try (LockHandle first = other.lock("list/b").acquire();
                LockHandle second = other.lock("list/a").acquire();
                LockHandle third = other.lock("elsewhere").acquire()) {
            assertThat(application.get("/locks?prefix=list/").body())
                    .isEqualTo("{\"names\":[\"list/a\",\"list/b\"],\"cut\":false}");
        }
    }

    @Test
    void theListIsCutAtAThousandNamesAndSaysSo() throws IOException, InterruptedException {
        List<LockHandle> held = new ArrayList<>();
        for (int i = 0; i <= LocksEndpoint.LIMIT; i++) {
            held.add(other.lock("many/" + i).acquire());
        }

        String list = application.get("/locks?prefix=many/").body();

        assertThat(list).endsWith("\"cut\":true}");
        assertThat(list.split("\"many/", -1)).hasSize(LocksEndpoint.LIMIT + 1);
        held.forEach(LockHandle::close);
    }

    @Test
    void theEndpointOnlyReadsByDefault() throws IOException, InterruptedException {
        try (LockHandle held = other.lock("safe").acquire()) {
            assertThat(application
                            .send("DELETE", "/locks?name=safe&token=" + token(held))
                            .statusCode())
                    .isEqualTo(405);
            assertThat(held.isHeld()).isTrue();
        }
    }

    @Test
    void aReleaseEndsTheHoldWithThisTokenAlone() throws IOException, InterruptedException {
        try (WebApplication writable = WebApplication.start("management.endpoint.locks.access", "unrestricted")) {
            LockClient holder = writable.context.getBean("other", LockClient.class);
            LockHandle earlier = holder.lock("jobs/nightly").acquire();
            earlier.close();
            LockHandle held = holder.lock("jobs/nightly").acquire();

            HttpResponse<String> missed = writable.send("DELETE", "/locks?name=jobs/nightly&token=" + token(earlier));
            assertThat(missed.body()).contains("\"released\":null");
            assertThat(held.isHeld()).isTrue();

            HttpResponse<String> released = writable.send("DELETE", "/locks?name=jobs/nightly&token=" + token(held));
            assertThat(released.body()).contains("\"token\":\"" + token(held) + "\"");
            try (LockHandle next = holder.lock("jobs/nightly").tryAcquire().orElseThrow()) {
                assertThat(next.fencingToken()).isGreaterThan(held.fencingToken());
            }
        }
    }

    /** The first token of the grant, which the store shows. Each of these grants has no local handoff. */
    private static String token(LockHandle handle) {
        return Long.toString(handle.fencingToken());
    }
}
