package io.github.distlock.redis;

/** What publishes the messages to waiters: the scripts or their client. The messages are the same. */
enum Publisher {
    /** The script that hands the lock off. */
    SCRIPT("redis.pcall('PUBLISH', channel, message)"),
    /** The client that ran the script. The scripts then do not contain the command, which some proxies refuse. */
    CLIENT("notices[#notices + 1] = { channel, message }");

    /** The line that replaces {@code --#publish} in the scripts. */
    final String line;

    Publisher(String line) {
        this.line = line;
    }
}
