package io.github.distlock.redis;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import org.slf4j.LoggerFactory;

/** Captures what backends log. The configuration of the tests lets only warnings and errors through. */
final class BackendWarnings {
    private BackendWarnings() {}

    interface Action {
        void run() throws InterruptedException;
    }

    /** Returns the warnings that contain a text. Other tests run at the same time, and are warned of other things. */
    static List<String> during(String about, Action action) throws InterruptedException {
        // While a thread initializes SLF4J, others get loggers that are not Logback's.
        Waiting.await(
                "SLF4J is initialized",
                Duration.ofSeconds(60),
                () -> LoggerFactory.getILoggerFactory() instanceof LoggerContext);
        Logger logger = (Logger) LoggerFactory.getLogger(RedisBackend.class);
        ListAppender<ILoggingEvent> log = new ListAppender<>();
        log.start();
        logger.addAppender(log);
        try {
            action.run();
        } finally {
            logger.detachAppender(log);
        }
        return log.list.stream()
                .map(ILoggingEvent::getFormattedMessage)
                .filter(message -> message.contains(about))
                .toList();
    }
}
