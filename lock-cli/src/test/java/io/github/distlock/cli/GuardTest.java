package io.github.distlock.cli;

import static io.github.distlock.cli.Binary.LONG;
import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.waiting.Waiting;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What {@code distlock} concludes from late answers of a guard. Each answer here is late at once. */
class GuardTest {
    private volatile boolean ended;

    @AfterEach
    void end() {
        ended = true;
    }

    /** As after a suspension of this process: the answer is there, and the thread that reads it has yet to run. */
    @Test
    void aLateAnswerThatIsOnItsWayShowsThatTheGuardIsWell() throws InterruptedException {
        LateShell shell = new LateShell(Thread.currentThread());
        Guard guard = new Guard(shell, 0, LONG.toNanos());
        assertTrue(guard.isWell());

        assertTrue(guard.isWell());

        assertEquals("ping\n", shell.asked.toString(US_ASCII));
    }

    @Test
    void aLateAnswerThatIsOnItsWayAnswersTheRequest() throws InterruptedException {
        Guard guard = new Guard(new LateShell(Thread.currentThread()), 0, LONG.toNanos());

        assertEquals("here", guard.ask("ping"));
    }

    @Test
    void aGuardThatDoesNotAnswerIsNotWell() throws InterruptedException {
        Guard guard = new Guard(new LateShell(Thread.currentThread()), 0, 0);
        assertTrue(guard.isWell());

        assertFalse(guard.isWell());
    }

    /** Answers one request, as soon as the asking thread waits for the answer. */
    private final class LateShell extends Process {
        private final ByteArrayOutputStream asked = new ByteArrayOutputStream();
        private final Thread asker;

        LateShell(Thread asker) {
            this.asker = asker;
        }

        @Override
        public OutputStream getOutputStream() {
            return asked;
        }

        @Override
        public InputStream getInputStream() {
            return new InputStream() {
                private boolean answered;

                @Override
                public int read(byte[] buffer, int offset, int length) {
                    if (answered) {
                        return -1;
                    }
                    answered = true;
                    Waiting.await(
                            "a request that waits",
                            LONG,
                            () -> ended || asker.getState() == Thread.State.TIMED_WAITING);
                    byte[] answer = "here\n".getBytes(US_ASCII);
                    System.arraycopy(answer, 0, buffer, offset, answer.length);
                    return answer.length;
                }

                @Override
                public int read() {
                    throw new UnsupportedOperationException();
                }
            };
        }

        @Override
        public InputStream getErrorStream() {
            return InputStream.nullInputStream();
        }

        @Override
        public int waitFor() {
            throw new UnsupportedOperationException();
        }

        @Override
        public int exitValue() {
            throw new IllegalThreadStateException("it lives");
        }

        @Override
        public void destroy() {}
    }
}
