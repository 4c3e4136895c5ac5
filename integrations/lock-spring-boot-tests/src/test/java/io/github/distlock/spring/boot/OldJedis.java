package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.SpringBootVersion;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/**
 * A start-up with the Jedis that Boot 3.5 manages. {@code mvn test -Djedis=boot} puts it on the class path, so
 * {@code .ci/extended} runs this.
 */
@ExtendWith(OutputCaptureExtension.class)
class OldJedis {

    @Test
    void theStartUpFailsAndBootPrintsWhatToDo(CapturedOutput output) {
        SpringApplication application = new SpringApplication(RedisApplicationTest.Shop.class);
        application.setDefaultProperties(Map.of(
                "spring.main.web-application-type", "none",
                "distlock.backend", "redis",
                "distlock.redis.url", "redis://nowhere:1"));

        Throwable failure = catchThrowable(application::run);

        assertThat(failure).isNotNull();
        assertThat(output)
                .contains("APPLICATION FAILED TO START")
                .contains("the Redis backend needs Jedis 7.4 or newer, but the one on the class path is 6.0.0")
                .contains("Spring Boot " + SpringBootVersion.getVersion() + " manages the version of Jedis.")
                .contains("Set <jedis.version>7.4.1</jedis.version> among the properties of your POM");
    }
}
