package io.github.distlock.spring;

import java.util.List;
import java.util.stream.Stream;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/** The holds of a reactive chain, in its context. */
final class ReactiveHolds {
    private static final Object KEY = ReactiveHolds.class;

    private ReactiveHolds() {}

    /** Returns the holds, the innermost first. */
    static List<Hold> of(ContextView context) {
        return context.hasKey(KEY) ? context.get(KEY) : List.of();
    }

    static Context with(Context context, Hold hold) {
        return context.put(
                KEY, Stream.concat(Stream.of(hold), of(context).stream()).toList());
    }
}
