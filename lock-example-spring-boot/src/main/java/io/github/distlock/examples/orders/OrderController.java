package io.github.distlock.examples.orders;

import io.github.distlock.spring.LockBusyException;
import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.ExceptionHandler;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/** Ships orders. */
@RestController
class OrderController {
    private final Shipping shipping;

    OrderController(Shipping shipping) {
        this.shipping = shipping;
    }

    @PostMapping("/orders/{id}/shipment")
    String ship(@PathVariable("id") int id) throws InterruptedException {
        return shipping.ship(id);
    }

    @ExceptionHandler
    @ResponseStatus(HttpStatus.CONFLICT)
    String busy(LockBusyException busy) {
        return "another request ships this order";
    }
}
