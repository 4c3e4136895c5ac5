/**
 * The auto-configuration for Spring Boot 3.5 and 4. It makes a {@link io.github.distlock.LockClient} bean from the
 * properties {@code distlock.…}, and switches {@link io.github.distlock.spring.DistributedLocked} on.
 */
@NullMarked
package io.github.distlock.spring.boot;

import org.jspecify.annotations.NullMarked;
