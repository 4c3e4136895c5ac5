package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.spi.BackendContext;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class TransactionNumbersTest {
    @Test
    void s3_aLostHistoryIsReportedOnceAndOnlyOnTheThreadOfTheLog() {
        AtomicLong highest = new AtomicLong();
        Statements statements = new Statements();
        new TransactionNumbers(highest, statements).note(7);
        TransactionNumbers next = new TransactionNumbers(highest, statements);

        next.note(8);
        assertThat(statements.waiting).isEmpty();
        next.note(7);
        assertThat(statements.waiting).hasSize(1);
        next.note(6);

        assertThat(statements.waiting).hasSize(1);
    }

    /** A context whose log has not written anything yet. */
    private static final class Statements implements BackendContext {
        private final List<Runnable> waiting = new ArrayList<>();

        @Override
        public String clientName() {
            return "test";
        }

        @Override
        public Thread newThread(String role, Runnable task) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void log(Runnable statement) {
            waiting.add(statement);
        }

        @Override
        public void connectionLost(Object server) {}
    }
}
