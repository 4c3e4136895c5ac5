package io.github.distlock.cli;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Receives the signals that ask this process to end. A signal that the caller has set to be ignored stays ignored.
 *
 * <p>Only {@code sun.misc.Signal} can do this, as a shutdown hook does not know the signal. The compiler warns of each
 * use of that class, and no annotation suppresses this warning. So the class is called by reflection.
 */
final class Signals {
    private static final Map<String, Integer> NUMBERS = Map.of("HUP", 1, "INT", 2, "TERM", 15);

    private Signals() {}

    static void receive(Consumer<Event.Signaled> receiver) {
        NUMBERS.forEach((name, number) -> handle(name, () -> receiver.accept(new Event.Signaled(name, number))));
        // The keyboard would stop this process alone. The command would go on, and the lock would end.
        handle("TSTP", () -> {});
    }

    private static void handle(String name, Runnable action) {
        try {
            Class<?> signal = Class.forName("sun.misc.Signal");
            Class<?> handler = Class.forName("sun.misc.SignalHandler");
            Method handle = signal.getMethod("handle", signal, handler);
            Object proxy = Proxy.newProxyInstance(
                    handler.getClassLoader(), new Class<?>[] {handler}, (self, method, arguments) -> {
                        action.run();
                        return null;
                    });
            handle.invoke(null, signal.getConstructor(String.class).newInstance(name), proxy);
        } catch (ReflectiveOperationException e) {
            throw new IllegalStateException("this JVM has no sun.misc.Signal", e);
        }
    }
}
