package io.github.distlock.tests.waiting;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

class HangExtensionTest {
    private final CountDownLatch never = new CountDownLatch(1);
    private final List<String> ran = new ArrayList<>();

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aTestThatHangsIsInterrupted() {
        assertThrows(InterruptedException.class, () -> HangExtension.run(this::hang, 1L));
        assertFalse(Thread.currentThread().isInterrupted());
    }

    private Void hang() throws InterruptedException {
        never.await();
        throw new AssertionError("the latch is never opened");
    }

    @Test
    @Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void aTestThatIsInterruptedAndEndsLeavesNoInterrupt() throws Throwable {
        HangExtension.run(this::spinUntilInterrupted, 1L);

        assertFalse(Thread.currentThread().isInterrupted());
    }

    private Void spinUntilInterrupted() {
        while (!Thread.currentThread().isInterrupted()) {
            Thread.onSpinWait();
        }
        return null;
    }

    @Test
    void aTestRunsOnceWithAndWithoutALimit() throws Throwable {
        HangExtension.run(() -> note("with a limit"), 60_000L);
        HangExtension.run(() -> note("without one"), null);

        assertEquals(List.of("with a limit", "without one"), ran);
    }

    private Void note(String test) {
        ran.add(test);
        return null;
    }
}
