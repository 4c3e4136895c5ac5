/**
 * Histories: processes of their own use locks while clients, network and server are hurt, write down what they see, and a
 * checker decides afterwards whether what they saw can be. {@link io.github.distlock.tests.history.HistoryRun} runs one.
 */
@NullMarked
package io.github.distlock.tests.history;

import org.jspecify.annotations.NullMarked;
