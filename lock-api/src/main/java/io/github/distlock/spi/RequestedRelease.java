package io.github.distlock.spi;

import io.github.distlock.LockOwner;

/**
 * A request to release a hold, as the store has it.
 *
 * @param id the same each time it is read, and different from those of other requests
 * @param requester who asks
 * @param cameBy a time on the monotonic clock by which the store had the request: later than that by a round trip at
 *     most, and the same each time it is read for one grant
 */
public record RequestedRelease(String id, LockOwner requester, long cameBy) {}
