/** An application of Spring Boot with locks in Redis. Start several of it on one Redis. */
@NullMarked
package io.github.distlock.examples.orders;

import org.jspecify.annotations.NullMarked;
