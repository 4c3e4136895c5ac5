package io.github.distlock.examples.orders;

import org.springframework.stereotype.Component;

/** Stands for a slow mail server. */
@Component
class Mail {

    void send(String report) throws InterruptedException {}
}
