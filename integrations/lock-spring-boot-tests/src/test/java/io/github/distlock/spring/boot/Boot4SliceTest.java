package io.github.distlock.spring.boot;

import io.github.distlock.spring.boot.test.AutoConfigureInMemoryLocks;
import org.junit.jupiter.api.Nested;
import org.springframework.boot.data.redis.test.autoconfigure.DataRedisTest;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;

/** Slices of Boot 4. */
class Boot4SliceTest {

    @Nested
    @WebMvcTest
    class OfWebMvc extends SliceRules.WithoutLocks {}

    @Nested
    @DataRedisTest
    class OfDataRedis extends SliceRules.WithoutLocks {}

    @Nested
    @WebMvcTest
    @AutoConfigureInMemoryLocks
    class OfWebMvcWithLocks extends SliceRules.WithLocks {}
}
