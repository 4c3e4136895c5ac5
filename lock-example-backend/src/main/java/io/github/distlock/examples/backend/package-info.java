/**
 * A backend by an outside author, over a database that needs no installation: {@code docs/writing-a-backend.md} goes
 * through it step by step. Begin at {@link io.github.distlock.examples.backend.SqlBackend}.
 */
@NullMarked
package io.github.distlock.examples.backend;

import org.jspecify.annotations.NullMarked;
