package io.github.distlock.spring;

import static io.github.distlock.spring.LockAnnotations.refusal;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.springframework.core.KotlinDetector;
import org.springframework.core.MethodParameter;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/** Chooses the execution of a method by its return type. */
final class Executions {
    /**
     * The work of these goes on after the call. A method may return the asynchronous ones among them, but not inside of
     * another type. Types of optional libraries are known by their names.
     */
    private static final List<String> OUTLIVE_THE_CALL = List.of(
            "java.util.stream.BaseStream",
            "java.util.Iterator",
            "java.util.Spliterator",
            "java.util.concurrent.Callable",
            "java.util.concurrent.Future",
            "java.util.concurrent.CompletionStage",
            "java.util.concurrent.Flow$Publisher",
            "org.reactivestreams.Publisher",
            "kotlin.sequences.Sequence",
            "kotlinx.coroutines.Job",
            "kotlinx.coroutines.flow.Flow",
            "org.springframework.web.context.request.async.DeferredResult",
            "org.springframework.web.context.request.async.WebAsyncTask",
            "org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
            "org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody");

    private static final ClassValue<Boolean> OF_WORK = new ClassValue<>() {
        @Override
        protected Boolean computeValue(Class<?> type) {
            return hasTypeOf(type, OUTLIVE_THE_CALL);
        }
    };

    private static final String FLOW = "kotlinx.coroutines.flow.Flow";
    private static final List<String> HAVE_NO_VALUE = List.of("void", "java.lang.Void", "kotlin.Unit", FLOW);

    private static final boolean REACTOR_IS_PRESENT = isPresent("reactor.core.publisher.Mono");
    private static final boolean COROUTINES_ARE_PRESENT = isPresent("kotlinx.coroutines.reactor.MonoKt");

    private Executions() {}

    private static boolean isPresent(String type) {
        return ClassUtils.isPresent(type, Executions.class.getClassLoader());
    }

    /**
     * Returns the execution.
     *
     * @param bean the bean's class, which may say what a type parameter of the method's class is
     * @throws IllegalStateException if the method's work would outlive the lock, or cannot be skipped
     */
    static Execution of(Method method, Class<?> bean, OnBusy onBusy, ActiveTransactions transactions) {
        if (onBusy == OnBusy.SKIP) {
            checkSkipped(method);
        }
        ResolvableType type = ResolvableType.forMethodReturnType(method, bean);
        Execution asynchronous = asynchronous(method, type.resolve(method.getReturnType()), transactions);
        // The type of a suspend function is that of its value, unless it is a flow.
        boolean isOfValue = asynchronous == null
                || (KotlinDetector.isSuspendingFunction(method)
                        && !type.toClass().getName().equals(FLOW));
        (isOfValue ? Stream.of(type) : Arrays.stream(type.getGenerics())).forEach(each -> checkResult(method, each));
        return asynchronous == null
                ? new BlockingExecution(method, transactions, type.resolve() == null || type.resolve() == Object.class)
                : asynchronous;
    }

    private static void checkSkipped(Method method) {
        MethodParameter result = new MethodParameter(method, -1);
        Class<?> type = result.getParameterType();
        boolean isNumber = type.isPrimitive() && type != void.class;
        // The type of a suspend function is an object, also if Kotlin declares a number.
        boolean isNeverNull = KotlinDetector.isSuspendingFunction(method)
                && !result.isOptional()
                && !HAVE_NO_VALUE.contains(type.getName());
        if (isNumber || isNeverNull) {
            throw refusal(
                    method,
                    "onBusy = SKIP has nothing to return as " + type.getSimpleName() + "; return "
                            + ClassUtils.resolvePrimitiveIfNecessary(type).getSimpleName() + (isNeverNull ? "?" : "")
                            + ", which can be null, or an Optional");
        }
    }

    private static @Nullable Execution asynchronous(Method method, Class<?> type, ActiveTransactions transactions) {
        if (KotlinDetector.isSuspendingFunction(method)) {
            if (!COROUTINES_ARE_PRESENT) {
                throw refusal(method, "suspend functions need kotlinx-coroutines-reactor on the class path");
            }
            return Reactive.suspending(method, transactions);
        }
        if (CompletionStage.class.isAssignableFrom(type)) {
            if (!type.isAssignableFrom(CompletableFuture.class)) {
                throw refusal(
                        method, "returns " + type.getSimpleName() + "; return CompletionStage or CompletableFuture");
            }
            return new StageExecution(method, transactions);
        }
        return REACTOR_IS_PRESENT ? Reactive.publisher(method, type, transactions) : null;
    }

    /** Loaded only if Reactor is present. */
    private static final class Reactive {

        static Execution suspending(Method method, ActiveTransactions transactions) {
            String result = new MethodParameter(method, -1).getParameterType().getName();
            return new ReactiveExecution(null, !result.equals(FLOW), new ReactiveTransactions(transactions, method));
        }

        static @Nullable Execution publisher(Method method, Class<?> type, ActiveTransactions transactions) {
            ReactiveAdapter adapter =
                    ReactiveAdapterRegistry.getSharedInstance().getAdapter(type);
            return adapter == null
                    ? null
                    : new ReactiveExecution(
                            adapter, !adapter.isMultiValue(), new ReactiveTransactions(transactions, method));
        }
    }

    private static void checkResult(Method method, ResolvableType type) {
        Class<?> raw = type.resolve();
        if (raw != null && hasTypeOf(raw, OUTLIVE_THE_CALL)) {
            throw refusal(
                    method,
                    "returns " + raw.getSimpleName() + ", whose work would go on without the lock after the call;"
                            + " return the finished result, a CompletionStage or a publisher");
        }
        Arrays.stream(type.getGenerics()).forEach(argument -> checkResult(method, argument));
    }

    /** Returns whether the work of a result goes on after the call. */
    static boolean outlivesTheCall(Object result) {
        return OF_WORK.get(result.getClass());
    }

    /** Returns whether a class, or one of its superclasses or interfaces, has one of these names. */
    static boolean hasTypeOf(Class<?> type, List<String> names) {
        return names.contains(type.getName())
                || Arrays.stream(type.getInterfaces()).anyMatch(parent -> hasTypeOf(parent, names))
                || (type.getSuperclass() != null && hasTypeOf(type.getSuperclass(), names));
    }
}
