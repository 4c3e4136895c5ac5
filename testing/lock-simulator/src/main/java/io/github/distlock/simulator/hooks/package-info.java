/** What rewritten classes call. It is loaded by the bootstrap loader, so that the JDK's own classes can call it too. */
@NullMarked
package io.github.distlock.simulator.hooks;

import org.jspecify.annotations.NullMarked;
