package io.github.distlock.examples.orders;

import io.github.distlock.fencing.FencingGuard;
import java.time.Duration;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;
import org.springframework.scheduling.annotation.EnableScheduling;

/**
 * Ships orders on request, and sends one report per tick, whatever the number of its instances. Also keeps labels in
 * the memory of one instance, and rejects late writes to them.
 */
@SpringBootApplication
@EnableScheduling
public class OrdersApplication {

    /** Makes the application. */
    public OrdersApplication() {}

    @Bean
    FencingGuard fencingGuard() {
        return FencingGuard.of(100_000, Duration.ofHours(1));
    }

    /**
     * Starts the application.
     *
     * @param arguments as for {@link SpringApplication}
     */
    public static void main(String[] arguments) {
        SpringApplication.run(OrdersApplication.class, arguments);
    }
}
