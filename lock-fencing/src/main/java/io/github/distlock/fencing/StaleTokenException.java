package io.github.distlock.fencing;

import static java.util.Objects.requireNonNull;

import java.io.Serial;
import java.util.OptionalLong;

/** A request came too late: the resource has seen a greater fencing token, so a later holder has the lock. */
public class StaleTokenException extends RuntimeException {
    @Serial
    private static final long serialVersionUID = 1L;

    /** The resource, as the caller of the fence names it. */
    private final String resource;

    /** The token of the request. */
    private final long token;

    /** The greatest token seen, or 0 if the fence does not know it. */
    private final long highest;

    /**
     * Makes an error. Fences for other resources, and tests of user code, may, too.
     *
     * @param resource the resource
     * @param token the token of the request
     * @param highest the greatest token that the resource has seen, if known
     */
    public StaleTokenException(String resource, long token, OptionalLong highest) {
        super("resource \"" + requireNonNull(resource, "resource") + "\": fencing token " + token + " is stale, "
                + (highest.isPresent() ? highest.getAsLong() : "a greater one") + " was seen");
        this.resource = resource;
        this.token = token;
        this.highest = highest.orElse(0);
    }

    /**
     * Returns the resource that rejected the request.
     *
     * @return its name, as the fence was given it
     */
    public String resource() {
        return resource;
    }

    /**
     * Returns the token of the rejected request.
     *
     * @return the token
     */
    public long token() {
        return token;
    }

    /**
     * Returns the greatest token that the resource had seen.
     *
     * @return that token, or empty if the fence does not know it
     */
    public OptionalLong highest() {
        return highest == 0 ? OptionalLong.empty() : OptionalLong.of(highest);
    }
}
