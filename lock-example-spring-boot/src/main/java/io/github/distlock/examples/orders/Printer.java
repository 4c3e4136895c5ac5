package io.github.distlock.examples.orders;

import org.springframework.stereotype.Component;

/** Stands for a slow device. */
@Component
class Printer {

    void print(String label) throws InterruptedException {}
}
