package io.github.distlock.examples.orders;

import org.springframework.stereotype.Component;

/** Stands for a slow service of another company. */
@Component
class Carrier {

    void pickUp(int order) throws InterruptedException {}
}
