/**
 * A sale by several processes, without a lock, under a Redis lock and under a ZooKeeper lock; and what happens when a
 * holder is killed or stopped. Begin at {@link io.github.distlock.examples.flashsale.FlashSale}.
 */
@NullMarked
package io.github.distlock.examples.flashsale;

import org.jspecify.annotations.NullMarked;
