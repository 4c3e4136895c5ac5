package io.github.distlock.spring.boot;

import io.github.distlock.spring.DistributedLockKeys;
import java.util.Optional;
import java.util.function.Function;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** What the tag "lock" of meters is. */
enum LockTag {
    /**
     * The literal text of the annotation's key before its first expression, without separators at its end. Otherwise
     * the name up to the first slash or colon.
     */
    KIND,
    /** The name of the lock, for applications with few locks. */
    NAME,
    /** The same value for all locks. */
    NONE;

    /** With them, a lock would have another tag if code acquires it than if an annotation does. */
    private static final Pattern SEPARATORS_AT_THE_END = Pattern.compile("[/:]+$");

    /** Returns the values. The empty one stands for the name up to the first separator. */
    Function<String, Optional<String>> values(@Nullable DistributedLockKeys keys) {
        return switch (this) {
            case KIND ->
                name -> keys == null
                        ? Optional.empty()
                        : keys.literalOf(name)
                                .map(text -> SEPARATORS_AT_THE_END.matcher(text).replaceFirst(""));
            case NAME -> Optional::of;
            case NONE -> name -> Optional.of("none");
        };
    }
}
