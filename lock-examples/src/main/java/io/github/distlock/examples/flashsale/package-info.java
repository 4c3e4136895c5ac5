/**
 * A sale by several processes: without a lock, under a Redis lock, and under a ZooKeeper lock. It also shows what
 * happens when a holder is killed or suspended. Start at {@link io.github.distlock.examples.flashsale.FlashSale}.
 */
@NullMarked
package io.github.distlock.examples.flashsale;

import org.jspecify.annotations.NullMarked;
