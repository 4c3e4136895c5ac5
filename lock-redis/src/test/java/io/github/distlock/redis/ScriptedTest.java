package io.github.distlock.redis;

import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Timeout;

/** A backend whose server answers each script as a test says. It takes no time. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
abstract class ScriptedTest {
    static final Duration LEASE = Duration.ofSeconds(30);
    static final Duration PATIENCE = Duration.ofSeconds(10);

    final Map<Script, ScriptedRedis.Answers> answers = new HashMap<>();
    final ScriptedRedis redis =
            new ScriptedRedis(call -> answers.get(call.script()).to(call));
    final AtomicReference<RedisContext> context = new AtomicReference<>();
    final RedisBackend backend = TestContender.started(
            new RedisBackend(this::connect, null, "distlock:", Duration.ofHours(1), false, ForeignTurns.NONE));

    private Redis connect(RedisContext given) {
        context.set(given);
        return redis;
    }

    @AfterEach
    void close() {
        backend.close();
    }

    final void answer(Script script, Object answer) {
        answers.put(script, call -> answer);
    }

    final long requests(Script script) {
        return redis.sent.stream().filter(call -> call.script() == script).count();
    }
}
