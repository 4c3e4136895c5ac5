package io.github.distlock.zookeeper;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.AppenderBase;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.LoggerFactory;

/** The warnings and errors of all backends while this is open. Other tests run at the same time. */
final class CapturedLog extends AppenderBase<ILoggingEvent> implements AutoCloseable {
    private final Logger logger;
    private final List<String> lines = new CopyOnWriteArrayList<>();

    CapturedLog() {
        // While a thread initializes SLF4J, others get loggers that are not Logback's.
        Waiting.await(
                "SLF4J is initialized",
                Duration.ofSeconds(60),
                () -> LoggerFactory.getILoggerFactory() instanceof LoggerContext);
        logger = (Logger) LoggerFactory.getLogger(ZooKeeperBackend.class);
        start();
        logger.addAppender(this);
    }

    @Override
    protected void append(ILoggingEvent event) {
        lines.add(event.getFormattedMessage());
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    @Override
    public void close() {
        logger.detachAppender(this);
    }
}
