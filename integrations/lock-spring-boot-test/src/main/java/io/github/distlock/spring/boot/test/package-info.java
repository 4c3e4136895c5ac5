/**
 * Tests of Spring Boot applications with locks in memory. Start at
 * {@link io.github.distlock.spring.boot.test.AutoConfigureInMemoryLocks}.
 */
@NullMarked
package io.github.distlock.spring.boot.test;

import org.jspecify.annotations.NullMarked;
