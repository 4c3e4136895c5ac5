package io.github.distlock.simulator.zookeeper;

/**
 * The settings of all servers, in milliseconds.
 *
 * @param tick the leader pings twice in each tick, and ends sessions at its multiples
 * @param shortest the shortest session timeout that servers grant
 * @param longest the longest session timeout that servers grant
 * @param syncLimit after how many ticks of silence a follower and its leader give each other up
 * @param containerInterval how often the leader deletes empty container nodes
 * @param disk the longest usual time for a write to the disk
 */
record EnsembleSettings(int tick, int shortest, int longest, int syncLimit, int containerInterval, int disk) {

    /** Returns the servers' defaults for a tick, and a fast disk. */
    static EnsembleSettings of(int tick) {
        return new EnsembleSettings(tick, 2 * tick, 20 * tick, 5, 60_000, 2);
    }

    /** Returns the silence after which a follower and its leader give each other up, in nanoseconds. */
    long syncNanos() {
        return 1_000_000L * syncLimit * tick;
    }
}
