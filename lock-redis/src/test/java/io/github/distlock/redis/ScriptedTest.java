package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.github.distlock.tests.PromiseNames;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
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

    /** Returns the arguments of the last request, without its number. */
    final List<String> arguments() {
        List<ScriptCall> sent = List.copyOf(redis.sent);
        List<byte[]> all = sent.get(sent.size() - 1).arguments();
        return all.stream().skip(1).map(each -> new String(each, UTF_8)).toList();
    }

    /** Returns an argument of the last request. The first argument is number 1. */
    final String argument(int number) {
        return arguments().get(number - 1);
    }
}
