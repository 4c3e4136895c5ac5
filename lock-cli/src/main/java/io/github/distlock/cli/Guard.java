package io.github.distlock.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStream;
import java.lang.ProcessBuilder.Redirect;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The shell that ends a process group when this process dies: see {@link ProcessGroup}. It answers each request of this
 * process with one line, in their order. A guard that does not answer in time may be suspended, and is of no more use.
 * But this process may have been suspended meanwhile, too. Then the answer of a healthy guard is in the pipe, and the
 * other thread has not read it yet. So an answer that is late gets a moment more.
 *
 * <p>One thread asks. Another one reads the answers, so that no request waits longer for its answer than it should.
 */
final class Guard {
    /** A shell answers within a millisecond, unless the machine is very busy. */
    private static final long LONGEST_ANSWER = 3_000_000_000L;

    private static final long MOMENT = 100_000_000;
    private static final String NO_MORE = "";

    private final Process shell;
    private final long longestAnswer;
    private final long moment;
    private final BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    private int unanswered;
    /** When the first of the unanswered requests was sent. */
    private long asked;

    /**
     * Takes a shell that runs the script.
     *
     * @param longestAnswer after how many nanoseconds an answer is late
     * @param moment how many nanoseconds more a late answer gets
     */
    Guard(Process shell, long longestAnswer, long moment) {
        this.shell = shell;
        this.longestAnswer = longestAnswer;
        this.moment = moment;
        Thread reader = new Thread(this::readAnswers, "distlock-guard");
        reader.setDaemon(true);
        reader.start();
    }

    /**
     * Starts a guard.
     *
     * @param newSession what to begin the command line with
     * @param patience how long after this process's death the guard waits from TERM to KILL
     * @param group the number of the group; empty if it is not known yet
     */
    static Guard start(List<String> newSession, Duration patience, String group) throws IOException {
        List<String> all = new ArrayList<>(newSession);
        all.addAll(List.of("/bin/sh", "-c", script(), "distlock-guard", String.valueOf(tenths(patience)), group));
        Process shell = new ProcessBuilder(all).redirectError(Redirect.DISCARD).start();
        return new Guard(shell, LONGEST_ANSWER, MOMENT);
    }

    private static String script() throws IOException {
        try (InputStream script = Guard.class.getResourceAsStream("guard.sh")) {
            if (script == null) {
                throw new IOException("guard.sh is missing");
            }
            return new String(script.readAllBytes(), StandardCharsets.US_ASCII);
        }
    }

    /** The guard's steps take a little longer than it counts. */
    private static long tenths(Duration time) {
        return Math.max(0, time.toMillis() * 9 / 1000);
    }

    private void readAnswers() {
        try (BufferedReader lines = shell.inputReader(StandardCharsets.US_ASCII)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                answers.add(line);
            }
        } catch (IOException e) {
            // The guard has ended.
        } finally {
            answers.add(NO_MORE);
        }
    }

    long pid() {
        return shell.pid();
    }

    /** Returns the answer to a request; null if the guard has ended or does not answer in time. */
    @Nullable
    String ask(String request) throws InterruptedException {
        if (!send(request)) {
            return null;
        }
        String answer;
        do {
            answer = nextAnswer();
            if (answer == null) {
                return null; // still unanswered
            }
            unanswered--;
        } while (unanswered > 0 && !answer.equals(NO_MORE));
        return NO_MORE.equals(answer) ? null : answer;
    }

    private @Nullable String nextAnswer() throws InterruptedException {
        String answer = answers.poll(asked + longestAnswer - System.nanoTime(), TimeUnit.NANOSECONDS);
        return answer == null ? answers.poll(moment, TimeUnit.NANOSECONDS) : answer;
    }

    /**
     * Returns whether the guard lives and answers, as far as is known. Takes the answer in a later call, and waits for
     * it if it is late.
     */
    boolean isWell() throws InterruptedException {
        while (unanswered > 0 && answers.poll() != null) {
            unanswered--;
        }
        if (!shell.isAlive()) {
            return false;
        }
        if (unanswered == 0) {
            return send("ping");
        }
        if (System.nanoTime() - asked < longestAnswer) {
            return true;
        }
        if (nextAnswer() == null) {
            return false;
        }
        unanswered--;
        return true;
    }

    /** Sends a request without waiting for its answer. Returns false if the guard has ended. */
    boolean send(String request) {
        try {
            shell.getOutputStream().write((request + "\n").getBytes(StandardCharsets.US_ASCII));
            shell.getOutputStream().flush();
        } catch (IOException e) {
            return false;
        }
        if (unanswered++ == 0) {
            asked = System.nanoTime();
        }
        return true;
    }

    /** Kills the guard, even if it is suspended. */
    void kill() {
        shell.destroyForcibly();
    }
}
