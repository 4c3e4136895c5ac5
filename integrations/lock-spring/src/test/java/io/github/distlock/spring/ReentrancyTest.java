package io.github.distlock.spring;

import static io.github.distlock.spring.DistributedLocked.Mode.READ;
import static io.github.distlock.spring.DistributedLocked.Mode.WRITE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedReadWriteLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.memory.InMemoryStore;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Calls inside calls, and the modes of a lock. A call inside that would wait for its own thread fails at once. */
class ReentrancyTest {
    private final Application application = Application.over(new InMemoryStore())
            .with("distlock.annotation.max-wait", "0s")
            .start(Catalog.class);
    private final Catalog catalog = application.bean(Catalog.class);

    @AfterEach
    void close() {
        application.close();
        assertThat(ThreadHolds.size()).isZero();
    }

    static class Catalog {
        @DistributedLocked(key = "#{#name}")
        public <T> T exclusive(String name, Callable<T> work) throws Exception {
            return work.call();
        }

        @DistributedLocked(key = {"#{#one}", "#{#other}"})
        public <T> T both(String one, String other, Callable<T> work) throws Exception {
            return work.call();
        }

        @DistributedLocked(key = "catalog", mode = READ)
        public <T> T reading(Callable<T> work) throws Exception {
            return work.call();
        }

        @DistributedLocked(key = "catalog", mode = WRITE)
        public <T> T writing(Callable<T> work) throws Exception {
            return work.call();
        }
    }

    private static long token() {
        return LockedMethod.currentHandle().fencingToken();
    }

    @Test
    void aCallInsideJoinsTheHold() throws Exception {
        List<Long> tokens = catalog.exclusive("a", () -> List.of(token(), catalog.exclusive("a", () -> token())));

        assertThat(tokens.get(1)).isEqualTo(tokens.get(0));
        assertThat(application.store.size()).isZero();
    }

    @Test
    void theCallAroundHoldsTheLockUntilItReturns() throws Exception {
        catalog.exclusive("a", () -> {
            catalog.exclusive("a", () -> null);
            assertThat(application.other.lock("a").tryAcquire()).isEmpty();
            return null;
        });
    }

    @Test
    void anotherKeyInsideIsAnotherHold() throws Exception {
        List<String> names = catalog.exclusive(
                "a",
                () -> List.of(
                        catalog.exclusive(
                                "b", () -> LockedMethod.currentHandle().lockName()),
                        LockedMethod.currentHandle().lockName()));

        assertThat(names).containsExactly("b", "a");
    }

    @Test
    void severalKeysCoverEachOfThem() throws Exception {
        String names = catalog.both(
                "a",
                "b",
                () -> catalog.exclusive(
                        "b",
                        () -> catalog.both(
                                "b", "a", () -> LockedMethod.currentHandle().lockName())));

        assertThat(names).isEqualTo("a, b");
    }

    @Test
    void severalKeysJoinTheHoldOfOne() throws Exception {
        boolean ran = catalog.exclusive("a", () -> catalog.both("a", "b", () -> true));

        assertThat(ran).isTrue();
        assertThat(application.store.size()).isZero();
    }

    @Test
    void aCallJoinsWhatTheApplicationHoldsReentrantly() throws Exception {
        LockClient locks = application.bean(LockClient.class);
        try (LockHandle held = locks.lock("a").reentrant().acquire()) {
            assertThat(catalog.exclusive("a", () -> token())).isEqualTo(held.fencingToken());
        }
    }

    @Test
    void aCallInsideALostHoldThrowsAndDoesNotRun() {
        assertThatThrownBy(() -> catalog.exclusive("a", () -> {
                    application.store.lose("a");
                    return catalog.exclusive("a", () -> {
                        throw new AssertionError("ran without the lock");
                    });
                }))
                .isInstanceOf(LockLostException.class);
    }

    @Test
    void readersShareAndWritersDoNot() throws Exception {
        DistributedReadWriteLock other = application.other.readWriteLock("catalog");
        catalog.reading(() -> {
            Optional<LockHandle> reader = other.readLock().tryAcquire();
            assertThat(reader).isPresent();
            reader.get().close();
            assertThat(other.writeLock().tryAcquire()).isEmpty();
            return null;
        });
        catalog.writing(() -> {
            assertThat(other.readLock().tryAcquire()).isEmpty();
            return null;
        });
    }

    @Test
    void aReaderInsideAWriterJoins() throws Exception {
        assertThat(catalog.<List<Long>>writing(() -> List.of(token(), catalog.reading(() -> token()))))
                .satisfies(tokens -> assertThat(tokens.get(0)).isEqualTo(tokens.get(1)));
        assertThat(catalog.<Boolean>reading(() -> catalog.reading(() -> true))).isTrue();
    }

    @Test
    void aWriterInsideAReaderThrows() throws Exception {
        catalog.reading(() -> {
            assertThatIllegalStateException()
                    .isThrownBy(() -> catalog.writing(() -> null))
                    .withMessage("lock \"catalog\": a call around this one holds it with mode READ, so this one would"
                            + " wait in vain for mode WRITE; use WRITE for the outer call");
            return null;
        });
    }

    @Test
    void aWriterInsideAReaderInsideAWriterJoins() throws Exception {
        assertThat(catalog.<Boolean>writing(() -> catalog.reading(() -> catalog.writing(() -> true))))
                .isTrue();
    }
}
