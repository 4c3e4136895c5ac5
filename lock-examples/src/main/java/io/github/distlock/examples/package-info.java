/**
 * Short programs. Each shows one thing. Start at {@link io.github.distlock.examples.QuickStart}.
 * {@link io.github.distlock.examples.flashsale.FlashSale} shows locks between processes, and what happens when a holder
 * fails.
 */
@NullMarked
package io.github.distlock.examples;

import org.jspecify.annotations.NullMarked;
