package io.github.distlock.simulator.redis;

/** An error that a server answers. Its message is the server's words. */
public final class RedisError extends RuntimeException {
    private static final long serialVersionUID = 1;

    RedisError(String words) {
        super(words, null, false, false);
    }

    /**
     * Returns the words of the server.
     *
     * @return its words; begins with a code
     */
    public String words() {
        return String.valueOf(getMessage());
    }
}
