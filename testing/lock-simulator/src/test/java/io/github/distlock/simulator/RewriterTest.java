package io.github.distlock.simulator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

class RewriterTest {
    private static final String HOOKS = "io/github/distlock/simulator/hooks/Hooks";

    /** Reads a clock. */
    static final class ReadsAClock {
        static long now() {
            return System.nanoTime();
        }
    }

    /** Reads no clock. */
    static final class ReadsNoClock {
        static int number() {
            return ThreadLocalRandom.current().nextInt();
        }
    }

    private static byte[] bytes(Class<?> type) throws IOException {
        try (InputStream in = type.getResourceAsStream(
                type.getName().substring(type.getPackageName().length() + 1) + ".class")) {
            return in.readAllBytes();
        }
    }

    private static byte[] rewritten(Class<?> type) throws IOException {
        return rewritten(new Rewriter(), type);
    }

    private static byte[] rewritten(Rewriter rewriter, Class<?> type) throws IOException {
        return rewriter.transform(null, type.getName().replace('.', '/'), null, null, bytes(type));
    }

    @Test
    void aClassThatReadsAClockCallsTheHooks() throws IOException {
        String constants = new String(rewritten(ReadsAClock.class), StandardCharsets.ISO_8859_1);

        assertThat(constants).contains(HOOKS, "nanoTime");
    }

    @Test
    void aClassThatReadsNoClockIsLeftAsItIs() throws IOException {
        assertThat(rewritten(ReadsNoClock.class)).isNull();
    }

    @Test
    void parksAskTheHooksFirst() throws IOException {
        String constants = new String(rewritten(LockSupport.class), StandardCharsets.ISO_8859_1);

        assertThat(constants).contains(HOOKS, "parkNanos", "parkUntil");
    }

    @Test
    void aJdkThatLacksWhatHasToBeReplacedIsRefused() throws IOException {
        Rewriter rewriter = new Rewriter();
        rewritten(rewriter, LockSupport.class);

        assertThatIllegalStateException()
                .isThrownBy(rewriter::requireComplete)
                .withMessageContaining("cannot run simulations")
                .withMessageContaining("java/lang/Thread.sleepNanos(J)V")
                .withMessageNotContaining("parkNanos");
    }

    @Test
    void otherClassesOfTheJdkAreLeftAsTheyAre() {
        assertThat(Rewriter.concerns("java/util/ArrayList")).isFalse();
    }
}
