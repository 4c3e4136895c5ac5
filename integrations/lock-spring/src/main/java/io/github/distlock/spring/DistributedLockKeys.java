package io.github.distlock.spring;

import java.util.Comparator;
import java.util.NavigableSet;
import java.util.Optional;
import java.util.concurrent.ConcurrentSkipListSet;

/**
 * The keys of the {@link DistributedLocked} methods of an application context. The bean {@code distributedLockKeys} is
 * for libraries that group locks by their keys, such as those for metrics. Thread-safe.
 */
public final class DistributedLockKeys {
    /** The longest first, because the key that fits a name best has the longest text. */
    private final NavigableSet<KeyTemplate.Literal> literals = new ConcurrentSkipListSet<>(Comparator.comparing(
                    (KeyTemplate.Literal literal) -> -literal.text().length())
            .thenComparing(KeyTemplate.Literal::text)
            .thenComparing(KeyTemplate.Literal::isWhole));

    /** For the container. */
    DistributedLockKeys() {}

    void add(KeyTemplate key) {
        key.literals().filter(literal -> !literal.text().isEmpty()).forEach(literals::add);
    }

    /**
     * Returns the literal text of the key that a lock has its name from. The lock may also have been acquired by code.
     * If several keys fit the name, the one with the longest text counts.
     *
     * @param lockName the lock's name
     * @return the text of the key before its first <code>#{</code>, or empty if no key fits the name, or if the key
     *     begins with an expression
     */
    public Optional<String> literalOf(String lockName) {
        return literals.stream()
                .filter(literal -> literal.begins(lockName))
                .findFirst()
                .map(KeyTemplate.Literal::text);
    }
}
