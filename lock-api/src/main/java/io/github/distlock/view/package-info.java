/**
 * Views of locks, built on the API alone: reentrant locks, {@link java.util.concurrent.locks.Lock}, and several locks
 * as one. The module does not export this package.
 */
@NullMarked
@CheckReturnValue
package io.github.distlock.view;

import com.google.errorprone.annotations.CheckReturnValue;
import org.jspecify.annotations.NullMarked;
