package io.github.distlock.spring.boot;

import io.github.distlock.spring.boot.test.AutoConfigureInMemoryLocks;
import org.junit.jupiter.api.Nested;
import org.springframework.boot.test.autoconfigure.data.redis.DataRedisTest;
import org.springframework.boot.test.autoconfigure.web.servlet.WebMvcTest;

/** Slices of Boot 3. */
class Boot3SliceTest {

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
