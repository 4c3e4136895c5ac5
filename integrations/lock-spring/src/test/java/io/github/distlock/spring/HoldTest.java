package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.memory.InMemoryStore;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The last user of a hold releases it, also while another one leaves. */
class HoldTest {
    private final LockClient client = LockClient.create(new InMemoryStore().connect());

    @AfterEach
    void close() {
        client.close();
    }

    /** A call leaves, and work that it has left behind leaves before the call has looked at the hold again. */
    @Test
    void api_aCallEndsWellIfTheLastUserLeavesMeanwhile() throws Exception {
        LockHandle held = client.lock("a").acquire();
        Hold hold = holdOf(held, "detach");

        assertThatCode(hold::close).doesNotThrowAnyException();

        assertThat(held.state()).isEqualTo(LockHandle.State.RELEASED);
    }

    @Test
    void api_workEndsWellIfTheLastUserLeavesMeanwhile() throws Exception {
        LockHandle held = client.lock("a").acquire();
        Hold hold = holdOf(held, "state");

        assertThatCode(() -> hold.leaveAsync().get(60, TimeUnit.SECONDS)).doesNotThrowAnyException();

        assertThat(held.state()).isEqualTo(LockHandle.State.RELEASED);
    }

    /** Returns a hold with two users. One of them leaves when the other one calls a method of the handle. */
    private Hold holdOf(LockHandle held, String method) {
        Hold[] hold = new Hold[1];
        InvocationHandler leaving = (proxy, called, arguments) -> {
            if (called.getName().equals(method)) {
                hold[0].leaveAsync().join();
            }
            return called.invoke(held, arguments);
        };
        LockHandle handle = (LockHandle)
                Proxy.newProxyInstance(LockHandle.class.getClassLoader(), new Class<?>[] {LockHandle.class}, leaving);
        LockTarget target =
                new LockTarget(client, DistributedLocked.Mode.EXCLUSIVE, LockOptions.defaults(), List.of("a"));
        hold[0] = new Hold(target, handle);
        assertThat(hold[0].join()).isTrue();
        return hold[0];
    }
}
