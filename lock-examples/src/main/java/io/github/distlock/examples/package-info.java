/**
 * Short programs, one thing each. {@link io.github.distlock.examples.QuickStart} is where to begin;
 * {@link io.github.distlock.examples.flashsale.FlashSale} shows locks at work among processes, and what happens when
 * they break.
 */
@NullMarked
package io.github.distlock.examples;

import org.jspecify.annotations.NullMarked;
