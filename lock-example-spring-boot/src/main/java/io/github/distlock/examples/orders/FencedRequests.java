package io.github.distlock.examples.orders;

import io.github.distlock.fencing.FencingGuard;
import io.github.distlock.fencing.FencingGuardFullException;
import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import jakarta.servlet.FilterChain;
import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.stereotype.Component;
import org.springframework.web.filter.OncePerRequestFilter;

/**
 * Rejects late writes of labels. A writer sends the fencing token of its hold in the header {@code Fencing-Token}.
 *
 * <p>Requests for one label take turns, from the check to the end of the write. Otherwise a request could pass its
 * check, stand still, and write after a request with a greater token.
 *
 * <p>The body of a request is read during its turn. So a client that sends its body slowly keeps the turn, and each
 * request behind it keeps a thread of the server. Their wait is therefore limited. After that, the answer is 503, and
 * the client may try again with the same token.
 */
@Component
class FencedRequests extends OncePerRequestFilter {
    private static final int TURNS = 64;
    private static final Pattern LABEL = Pattern.compile("/labels/[^/]+");
    /** Keys stay in the memory of the guard, so their length is limited. */
    private static final int LONGEST_PATH = 200;

    private final FencingGuard guard;
    private final Duration longestWait;
    private final List<ReentrantLock> turns =
            Stream.generate(ReentrantLock::new).limit(TURNS).toList();

    FencedRequests(FencingGuard guard, @Value("${labels.longest-wait:10s}") Duration longestWait) {
        this.guard = guard;
        this.longestWait = longestWait;
    }

    @Override
    protected boolean shouldNotFilter(HttpServletRequest request) {
        return !request.getMethod().equals("PUT")
                || !LABEL.matcher(request.getServletPath()).matches();
    }

    @Override
    protected void doFilterInternal(HttpServletRequest request, HttpServletResponse response, FilterChain chain)
            throws IOException, ServletException {
        ReentrantLock turn = turns.get(Math.floorMod(request.getServletPath().hashCode(), TURNS));
        if (!takes(turn)) {
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE, "another write has not ended");
            return;
        }
        try {
            if (accepts(request, response)) {
                chain.doFilter(request, response);
            }
        } finally {
            turn.unlock();
        }
    }

    private boolean takes(ReentrantLock turn) {
        try {
            return turn.tryLock(longestWait.toNanos(), TimeUnit.NANOSECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private boolean accepts(HttpServletRequest request, HttpServletResponse response) throws IOException {
        if (request.getServletPath().length() > LONGEST_PATH) {
            response.sendError(HttpServletResponse.SC_BAD_REQUEST, "the path is too long");
            return false;
        }
        String token = request.getHeader(FencingToken.HTTP_HEADER);
        try {
            guard.check(request.getServletPath(), FencingToken.parse(token == null ? "" : token));
            return true;
        } catch (StaleTokenException e) {
            response.sendError(HttpServletResponse.SC_CONFLICT, e.getMessage());
        } catch (IllegalArgumentException e) {
            response.sendError(HttpServletResponse.SC_BAD_REQUEST, FencingToken.HTTP_HEADER + ": " + e.getMessage());
        } catch (FencingGuardFullException e) {
            response.sendError(HttpServletResponse.SC_SERVICE_UNAVAILABLE, e.getMessage());
        }
        return false;
    }
}
