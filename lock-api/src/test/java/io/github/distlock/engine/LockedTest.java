package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockHandle;
import io.github.distlock.LockLostException;
import io.github.distlock.LockedAction;
import io.github.distlock.LockedCall;
import io.github.distlock.LossReason;
import java.io.IOException;
import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Actions that run under the lock. */
class LockedTest extends EngineTest {
    private enum Call {
        RUN,
        CALL,
        TRY_RUN,
        TRY_CALL;

        /** Whether the action has run. */
        boolean run(DistributedLock lock, LockedAction<IOException> action) throws Exception {
            LockedCall<Boolean, IOException> call = held -> {
                action.run(held);
                return true;
            };
            return switch (this) {
                case RUN -> {
                    lock.runLocked(action);
                    yield true;
                }
                case CALL -> lock.callLocked(call);
                case TRY_RUN -> lock.tryRunLocked(Duration.ZERO, action);
                case TRY_CALL -> lock.tryCallLocked(Duration.ZERO, call).orElse(false);
            };
        }
    }

    @ParameterizedTest
    @EnumSource
    void api_anActionRunsUnderTheLockAndFreesIt(Call call) throws Exception {
        boolean ran =
                call.run(lock, held -> assertThat(other.lock("a").tryAcquire()).isEmpty());

        assertThat(ran).isTrue();
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource(names = {"TRY_RUN", "TRY_CALL"})
    void api_anActionDoesNotRunWithoutTheLock(Call call) throws Exception {
        LockHandle held = other.lock("a").acquire();

        boolean ran = call.run(lock, none -> {
            throw new AssertionError("it runs");
        });

        assertThat(ran).isFalse();
        assertThat(held.release()).isEqualTo(LockHandle.Release.RELEASED);
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource
    void api_anExceptionOfTheActionPassesThroughAndFreesTheLock(Call call) {
        IOException failure = new IOException("planted");

        assertThatThrownBy(() -> call.run(lock, held -> {
                    throw failure;
                }))
                .isSameAs(failure);
        expectNothingLeft();
    }

    @ParameterizedTest
    @EnumSource
    void s8_anActionThatEndsUnderALostHoldFails(Call call) {
        assertThatThrownBy(() -> call.run(lock, held -> store.lose("a")))
                .isInstanceOf(LockLostException.class)
                .extracting("loss.reason")
                .isEqualTo(LossReason.GONE);
    }

    @ParameterizedTest
    @EnumSource
    void s8_anActionThatThrowsUnderALostHoldTellsBoth(Call call) {
        IOException failure = new IOException("planted");

        assertThatThrownBy(() -> call.run(lock, held -> {
                    store.lose("a");
                    throw failure;
                }))
                .isSameAs(failure);
        assertThat(failure.getSuppressed()).singleElement().isInstanceOf(LockLostException.class);
    }
}
