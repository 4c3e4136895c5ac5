package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/** Chooses the execution of a method by its return type. */
final class Executions {
    /** Work of these goes on after the call, where nothing tells when it ends. Types of other libraries by name. */
    private static final List<String> OUTLIVE_THE_CALL = List.of(
            "java.util.stream.BaseStream",
            "java.util.Iterator",
            "java.util.Spliterator",
            "java.util.concurrent.Callable",
            "java.util.concurrent.Future",
            "kotlin.sequences.Sequence",
            "org.springframework.web.context.request.async.DeferredResult",
            "org.springframework.web.context.request.async.WebAsyncTask",
            "org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
            "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody");

    private Executions() {}

    /**
     * Returns the execution.
     *
     * @throws IllegalStateException if the method's work would outlive the lock
     */
    static Execution of(Method method, OnBusy onBusy, ActiveTransactions transactions) {
        checkReturns(method, ResolvableType.forMethodReturnType(method));
        if (onBusy == OnBusy.SKIP && method.getReturnType().isPrimitive() && method.getReturnType() != void.class) {
            throw LockAnnotations.refusal(
                    method,
                    "onBusy = SKIP has nothing to return as " + method.getReturnType() + "; return "
                            + ClassUtils.resolvePrimitiveIfNecessary(method.getReturnType())
                                    .getSimpleName()
                            + ", which can be null, or an Optional");
        }
        return new BlockingExecution(method, transactions);
    }

    private static void checkReturns(Method method, ResolvableType type) {
        Class<?> raw = type.resolve();
        if (raw == null) {
            return;
        }
        if (hasTypeOf(raw, OUTLIVE_THE_CALL)) {
            throw LockAnnotations.refusal(
                    method,
                    "returns " + raw.getSimpleName() + ", whose work would go on without the lock after the call;"
                            + " return the finished result, a CompletionStage or a publisher");
        }
        Arrays.stream(type.getGenerics()).forEach(argument -> checkReturns(method, argument));
    }

    /** Returns whether a class, or one of its superclasses or interfaces, has one of these names. */
    static boolean hasTypeOf(Class<?> type, List<String> names) {
        return names.contains(type.getName())
                || Arrays.stream(type.getInterfaces()).anyMatch(parent -> hasTypeOf(parent, names))
                || (type.getSuperclass() != null && hasTypeOf(type.getSuperclass(), names));
    }
}
