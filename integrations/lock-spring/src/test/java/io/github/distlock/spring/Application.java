package io.github.distlock.spring;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.memory.InMemoryStore;
import java.util.HashMap;
import java.util.Map;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.MapPropertySource;

/** An application over a store in memory, with a client of another application beside it. */
final class Application implements AutoCloseable {
    final InMemoryStore store;
    final InMemoryBackend connection;
    final LockClient other;

    private final AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
    private final Map<String, Object> properties = new HashMap<>();

    @Configuration(proxyBeanMethods = false)
    @EnableDistributedLocks
    static class Locks {}

    private Application(InMemoryStore store) {
        this.store = store;
        connection = store.connect();
        other = LockClient.create(store.connect());
        context.registerBean("locks", LockClient.class, () -> LockClient.create(connection));
        context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("test", properties));
    }

    static Application over(InMemoryStore store) {
        return new Application(store);
    }

    /** Starts an application with these beans. */
    static Application of(Class<?>... beans) {
        return new Application(new InMemoryStore()).start(beans);
    }

    Application with(String property, String value) {
        properties.put(property, value);
        return this;
    }

    Application start(Class<?>... beans) {
        return startPlain(with(Locks.class, beans));
    }

    Application startPlain(Class<?>... beans) {
        try {
            context.register(beans);
            context.refresh();
            return this;
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private static Class<?>[] with(Class<?> first, Class<?>... others) {
        Class<?>[] all = new Class<?>[others.length + 1];
        all[0] = first;
        System.arraycopy(others, 0, all, 1, others.length);
        return all;
    }

    AnnotationConfigApplicationContext context() {
        return context;
    }

    <T> T bean(Class<T> type) {
        return context.getBean(type);
    }

    /** Returns whether somebody holds a lock. This does not disturb single tries, as an acquire would. */
    boolean isHeld(String name) {
        return !other.inspector().inspect(name).holders().isEmpty();
    }

    boolean isAwaited(String name) {
        return !other.inspector().inspect(name).waiters().isEmpty();
    }

    @Override
    public void close() {
        context.close();
        other.close();
    }
}
