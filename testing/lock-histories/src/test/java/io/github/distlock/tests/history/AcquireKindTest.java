package io.github.distlock.tests.history;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.LockException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class AcquireKindTest {
    private static Set<AcquireKind> thatMayFailWith(Throwable failure) {
        return Arrays.stream(AcquireKind.values())
                .filter(kind -> kind.mayFailWith(failure))
                .collect(Collectors.toCollection(() -> EnumSet.noneOf(AcquireKind.class)));
    }

    @Test
    void anyAcquireMayFailWithAnErrorOfTheLock() {
        assertEquals(EnumSet.allOf(AcquireKind.class), thatMayFailWith(new LockException("a", "busy", null)));
    }

    @Test
    void onlyWhatIsInterruptedMayThrowThat() {
        assertEquals(EnumSet.of(AcquireKind.INTERRUPTED), thatMayFailWith(new InterruptedException()));
    }

    @Test
    void onlyAFutureMayBeCanceled() {
        assertEquals(EnumSet.of(AcquireKind.ASYNCHRONOUS), thatMayFailWith(new CancellationException()));
    }

    @Test
    void noAcquireMayFailWithAnythingElse() {
        assertEquals(Set.of(), thatMayFailWith(new IllegalStateException()));
        assertEquals(Set.of(), thatMayFailWith(new OutOfMemoryError()));
    }
}
