package io.github.distlock.cli;

import static io.github.distlock.cli.Binary.LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.tests.waiting.Waiting;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Messages for a reader that may be slow or may not read at all. */
@Timeout(60)
class MessagesTest {
    private static final String MISSING = "messages dropped, because the standard error was not read in time: ";

    private final List<String> printed = new CopyOnWriteArrayList<>();
    private final CountDownLatch reading = new CountDownLatch(1);

    private void print(String message) {
        try {
            reading.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
        printed.add(message);
    }

    @Test
    void whatNobodyReadsIsDroppedAndCounted() throws InterruptedException {
        try (Messages messages = new Messages(this::print)) {
            for (int i = 0; i < 1_000; i++) {
                messages.say("message " + i);
            }
            reading.countDown();
            Waiting.await("all are printed or counted", LONG, () -> all() == 1_000);
        }

        assertEquals(
                1, printed.stream().filter(each -> each.startsWith(MISSING)).count());
    }

    private long all() {
        return printed.stream()
                .mapToLong(each -> each.startsWith(MISSING) ? Long.parseLong(each.substring(MISSING.length())) : 1)
                .sum();
    }

    @Test
    void closingDoesNotWaitForAReaderThatDoesNotRead() throws InterruptedException {
        Messages messages = new Messages(this::print);
        messages.say("message");

        messages.close();

        assertEquals(List.of(), printed);
        reading.countDown();
    }

    @Test
    void aMessageThatIsRepeatedIsPrintedOnce() throws InterruptedException {
        reading.countDown();
        try (Messages messages = new Messages(this::print)) {
            messages.sayIfNew("a");
            messages.say("b");
            messages.say("b");
            messages.sayIfNew("a");
            messages.sayIfNew("c");
            messages.sayIfNew("a");
            Waiting.await("the last one", LONG, () -> printed.size() >= 5);
        }

        assertEquals(List.of("a", "b", "b", "c", "a"), printed);
    }
}
