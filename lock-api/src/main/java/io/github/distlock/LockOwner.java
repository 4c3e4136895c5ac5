package io.github.distlock;

import static java.util.Objects.requireNonNull;

/** A holder or waiter as people see it, for diagnosis and never for decisions. Immutable. */
public final class LockOwner {
    private final String host;
    private final long processId;
    private final String client;
    private final String thread;

    private LockOwner(String host, long processId, String client, String thread) {
        this.host = host;
        this.processId = processId;
        this.client = client;
        this.thread = thread;
    }

    /**
     * Makes an owner, as a backend reads it from its store.
     *
     * @param host the machine's name
     * @param processId the process on that machine
     * @param client {@linkplain LockClientBuilder#name the client's name}
     * @param thread the name of the thread that asked
     * @return the owner
     */
    public static LockOwner of(String host, long processId, String client, String thread) {
        return new LockOwner(
                requireNonNull(host, "host"),
                processId,
                requireNonNull(client, "client"),
                requireNonNull(thread, "thread"));
    }

    /**
     * Returns the machine's name.
     *
     * @return as the machine itself knows it
     */
    public String host() {
        return host;
    }

    /**
     * Returns the process.
     *
     * @return its id on that machine
     */
    public long processId() {
        return processId;
    }

    /**
     * Returns the client's name.
     *
     * @return as set by {@link LockClientBuilder#name}
     */
    public String client() {
        return client;
    }

    /**
     * Returns the thread that asked for the grant. After local handoffs this is still the first one.
     *
     * @return the thread's name at that time; may be empty for virtual threads
     */
    public String thread() {
        return thread;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LockOwner that
                && that.host.equals(host)
                && that.processId == processId
                && that.client.equals(client)
                && that.thread.equals(thread);
    }

    @Override
    public int hashCode() {
        return Long.hashCode(processId) * 31 + thread.hashCode();
    }

    @Override
    public String toString() {
        return client + " in process " + processId + " on " + host + ", thread \"" + thread + "\"";
    }
}
