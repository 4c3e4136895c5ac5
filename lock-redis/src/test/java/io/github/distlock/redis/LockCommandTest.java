package io.github.distlock.redis;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.redis.connection.LockCommand;
import io.github.distlock.tests.PromiseNames;
import java.util.List;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

@DisplayNameGeneration(PromiseNames.class)
class LockCommandTest {
    @Test
    void api_aCommandTellsItsKeyAndWhatToSend() {
        byte[] key = "job".getBytes(UTF_8);
        byte[] argument = "1".getBytes(UTF_8);

        LockCommand command = new LockCommand(key, "EVAL", List.of(argument));

        assertThat(command.lockKey()).isSameAs(key);
        assertThat(command.name()).isEqualTo("EVAL");
        assertThat(command.arguments()).containsExactly(argument);
    }
}
