package io.github.distlock.spring.boot.test;

import io.github.distlock.spring.boot.DistlockAutoConfiguration;
import io.github.distlock.spring.boot.DistributedLocksAutoConfiguration;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;

/**
 * Keeps the locks of a test's application in memory, whatever store its properties name. It also works on the tests of
 * a slice, such as {@code @WebMvcTest}.
 *
 * <pre>{@code
 * @SpringBootTest
 * @AutoConfigureInMemoryLocks
 * class OrdersTest {
 *     @Autowired Orders orders;
 *     @Autowired InMemoryStore store;
 *     @Autowired @Qualifier("otherLockClient") LockClient other;
 *
 *     @Test
 *     void aBusyOrderIsRefused() {
 *         other.lock("orders/42").acquire();
 *
 *         assertThrows(LockBusyException.class, () -> orders.ship(42));
 *     }
 * }
 * }</pre>
 *
 * <p>The context has three more beans:
 *
 * <ul>
 *   <li>the {@link io.github.distlock.memory.InMemoryStore}, with {@code lose}, {@code delete} and {@code advance};
 *   <li>the {@link io.github.distlock.memory.InMemoryBackend}, the application's connection to it, with {@code pause};
 *   <li>{@code otherLockClient}, a client of another application, which makes locks busy.
 * </ul>
 *
 * <p>After each test, all holds end, and the store answers again. Time that a test has let pass is not taken back.
 * {@link io.github.distlock.LockClient} beans that the application makes itself keep their own backends.
 */
@Documented
@Inherited
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.TYPE)
@ImportAutoConfiguration({
    InMemoryLocksAutoConfiguration.class,
    DistlockAutoConfiguration.class,
    DistributedLocksAutoConfiguration.class
})
public @interface AutoConfigureInMemoryLocks {}
