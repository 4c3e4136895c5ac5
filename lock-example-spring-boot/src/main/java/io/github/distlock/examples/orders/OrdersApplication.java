package io.github.distlock.examples.orders;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.scheduling.annotation.EnableScheduling;

/** Ships orders on request, and sends one report per tick, whatever the number of its instances. */
@SpringBootApplication
@EnableScheduling
public class OrdersApplication {

    /** Makes the application. */
    public OrdersApplication() {}

    /**
     * Starts the application.
     *
     * @param arguments as for {@link SpringApplication}
     */
    public static void main(String[] arguments) {
        SpringApplication.run(OrdersApplication.class, arguments);
    }
}
