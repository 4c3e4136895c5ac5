package io.github.distlock.redis.connection;

import java.util.List;

/** A command about one lock. Immutable if no caller changes the arrays. */
public final class LockCommand {
    private final byte[] lockKey;
    private final String name;
    private final List<byte[]> arguments;

    /**
     * Makes a command.
     *
     * @param lockKey the lock key, whose slot decides which node of a cluster gets the command
     * @param name in capital letters
     * @param arguments what follows the name
     */
    public LockCommand(byte[] lockKey, String name, List<byte[]> arguments) {
        this.lockKey = lockKey;
        this.name = name;
        this.arguments = List.copyOf(arguments);
    }

    /**
     * Returns the lock key, whose slot decides which node of a cluster gets the command.
     *
     * @return the key
     */
    public byte[] lockKey() {
        return lockKey;
    }

    /**
     * Returns the name of the command.
     *
     * @return in capital letters
     */
    public String name() {
        return name;
    }

    /**
     * Returns what follows the name.
     *
     * @return the arguments
     */
    public List<byte[]> arguments() {
        return arguments;
    }
}
