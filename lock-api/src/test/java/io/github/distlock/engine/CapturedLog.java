package io.github.distlock.engine;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.classic.spi.ThrowableProxyUtil;
import ch.qos.logback.core.AppenderBase;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.stream.Stream;
import org.slf4j.LoggerFactory;

/** What distlock logs while this is open. A client may log late lines after it has been closed. */
class CapturedLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    static {
        // While a thread initializes SLF4J, others get loggers that are not Logback's.
        Await.until("SLF4J is initialized", () -> LoggerFactory.getILoggerFactory() instanceof LoggerContext);
    }

    private final Logger logger = (Logger) LoggerFactory.getLogger("io.github.distlock");
    private final Level before = logger.getLevel();
    private final boolean additive = logger.isAdditive();
    private final List<ILoggingEvent> events = new CopyOnWriteArrayList<>();

    /** The beginning of the names of the threads whose lines count. */
    private final String threads;

    /** Captures the lines of all clients, also the late ones of clients of other tests. */
    CapturedLog() {
        this("");
    }

    private CapturedLog(String threads) {
        this.threads = threads;
        start();
        logger.setAdditive(false);
        logger.setLevel(Level.TRACE);
        logger.addAppender(this);
    }

    /** Captures the lines of the clients with one name. */
    static CapturedLog of(String client) {
        return new CapturedLog("distlock-" + client + "-");
    }

    @Override
    protected void append(ILoggingEvent event) {
        if (event.getThreadName().startsWith(threads)) {
            events.add(event);
        }
    }

    List<String> at(Level level) {
        return events.stream()
                .filter(event -> event.getLevel().equals(level))
                .map(ILoggingEvent::getFormattedMessage)
                .toList();
    }

    /** Returns the suppressed exceptions of the lines, each with its message and its frames. */
    List<String> stacks(Level level) {
        return events.stream()
                .filter(event -> event.getLevel().equals(level))
                .flatMap(event -> Stream.of(event.getThrowableProxy().getSuppressed()))
                .map(ThrowableProxyUtil::asString)
                .toList();
    }

    @Override
    public void close() {
        logger.detachAppender(this);
        logger.setLevel(before);
        logger.setAdditive(additive);
    }
}
