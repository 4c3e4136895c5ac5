package io.github.distlock.redis;

/**
 * What {@link RedisBackend#checkHealth} has found at a server. Immutable. The texts are whole sentences for people and
 * may change; programs use severity, subject and server.
 *
 * @param severity how bad it is
 * @param subject what it is about
 * @param server the address of the server, as {@code host:port}; the deployment, if the check could not find its
 *     servers; the caller-supplied client, if that client does not say where its server is
 * @param found what was found; with the server's words if the server has refused something
 * @param consequence what it means for locks
 * @param remedy what to do about it
 */
public record HealthFinding(
        Severity severity, Subject subject, String server, String found, String consequence, String remedy) {

    /** How bad a finding is. */
    public enum Severity {
        /** Locks do not work at this server, or not as the guarantees say. */
        ERROR,
        /** Locks work now. An event that is to be expected, such as a restart or a failover, breaks a guarantee. */
        WARNING,
        /** Something could not be checked, or has a consequence only in rare cases. */
        NOTE
    }

    /** What a finding is about. */
    public enum Subject {
        /** The server does not answer, or does not accept the connection. */
        CONNECTION,
        /** The server's version. */
        VERSION,
        /** Whether the server is the primary. */
        ROLE,
        /** What the server does when its memory is full. */
        MEMORY,
        /** What the server keeps when it restarts. */
        PERSISTENCE,
        /** The server's replicas, and how far they are behind. */
        REPLICATION,
        /** The server's clock, compared with the clock of this machine. */
        CLOCK,
        /** The rights of the user, or a refusal of a command that the backend needs. */
        RIGHTS,
        /** Rules for scripts of a proxy in front of the server. */
        SCRIPTS,
        /** The slots of a cluster. */
        CLUSTER
    }

    /**
     * Returns all parts in one line, for a log or a terminal.
     *
     * @return severity, subject and server, then the sentences
     */
    @Override
    public String toString() {
        return severity + " " + subject + " " + server + ": " + found + " " + consequence + " " + remedy;
    }
}
