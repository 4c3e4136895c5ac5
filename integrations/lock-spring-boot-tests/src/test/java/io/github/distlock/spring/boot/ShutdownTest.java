package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.scheduling.concurrent.ThreadPoolTaskExecutor;
import org.springframework.scheduling.concurrent.ThreadPoolTaskScheduler;

/** When the client closes. */
class ShutdownTest {

    /** Executors of the application are beans that the container makes before the client. */
    @Test
    void theClientIsOpenUntilExecutorsAndSchedulersAreDestroyed() {
        List<Boolean> acquired = new ArrayList<>();

        Contexts.memory()
                .withBean("tasks", Tasks.class, () -> new Tasks(acquired))
                .withBean("scheduler", Scheduler.class, () -> new Scheduler(acquired))
                .run(context -> {
                    context.getBean(Tasks.class).locks = context.getBean("lockClient", LockClient.class);
                    context.getBean(Scheduler.class).locks = context.getBean("lockClient", LockClient.class);
                });

        assertThat(acquired).containsExactly(true, true);
    }

    private static boolean isAcquired(LockClient locks) throws InterruptedException {
        try (LockHandle held = locks.lock("last task").acquire()) {
            return held.isHeld();
        }
    }

    private static boolean isOpen(LockClient locks) {
        try {
            return isAcquired(locks);
        } catch (InterruptedException | RuntimeException e) {
            return false;
        }
    }

    /** Its last task wants a lock. */
    static final class Tasks extends ThreadPoolTaskExecutor {
        private static final long serialVersionUID = 1L;

        private final transient List<Boolean> acquired;
        private transient LockClient locks;

        Tasks(List<Boolean> acquired) {
            this.acquired = acquired;
        }

        @Override
        public void destroy() {
            acquired.add(isOpen(locks));
            super.destroy();
        }
    }

    /** Its last task wants a lock. */
    static final class Scheduler extends ThreadPoolTaskScheduler {
        private static final long serialVersionUID = 1L;

        private final transient List<Boolean> acquired;
        private transient LockClient locks;

        Scheduler(List<Boolean> acquired) {
            this.acquired = acquired;
        }

        @Override
        public void destroy() {
            acquired.add(isOpen(locks));
            super.destroy();
        }
    }

    @Test
    void aContextThatIsStoppedAndStartedAgainKeepsItsClient() {
        Contexts.memory().run(context -> {
            LockClient locks = context.getBean("lockClient", LockClient.class);

            context.getSourceApplicationContext().stop();
            context.getSourceApplicationContext().start();

            assertThat(isAcquired(locks)).isTrue();
        });
    }

    @Test
    void theClientClosesWithItsContext() {
        LockClient[] locks = new LockClient[1];

        Contexts.memory().run(context -> locks[0] = context.getBean("lockClient", LockClient.class));

        assertThatThrownBy(() -> locks[0].lock("a").acquire())
                .isInstanceOf(IllegalStateException.class)
                .hasMessageContaining("is closed");
    }
}
