/**
 * Histories: processes use locks under faults in clients, network and server, and record what they see. A checker
 * decides whether the records obey the promises. {@link io.github.distlock.tests.history.HistoryRun} runs a history.
 */
@NullMarked
package io.github.distlock.tests.history;

import org.jspecify.annotations.NullMarked;
