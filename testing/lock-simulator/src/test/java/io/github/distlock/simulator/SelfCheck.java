package io.github.distlock.simulator;

import io.github.distlock.spi.BackendContext;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.tests.history.HistoryRule;
import io.github.distlock.tests.history.Violation;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
import org.jspecify.annotations.Nullable;

/**
 * Plants errors beneath a simulation, and looks whether it reports them. {@code .ci/simulate} runs it, because it needs
 * the JVM of a simulation.
 */
public final class SelfCheck {
    private static final int SEEDS = 40;
    private static final String LOST_DATA = "restart without data";
    private static final String LOST_DATA_AND_CLOCK_BACK = "clock back and restart without data";

    /** Those of a run with a planted error. */
    private final List<SimulatedProcess> processes = new ArrayList<>();

    private int checks;
    private int failed;

    private SelfCheck() {}

    /**
     * Runs all checks. Exits with 1 if one fails.
     *
     * @param arguments none
     */
    public static void main(String[] arguments) {
        SelfCheck check = new SelfCheck();
        check.aRunWithoutAnErrorHasNoViolation();
        check.anErrorOfAnAcquireIsReported();
        check.anErrorThatEndsAThreadIsReported();
        check.anotherOutcomeOfTheSameScheduleDiffers();
        check.whatAFaultMayBreakIsAcceptedOnlyThen();
        check.whatAFaultMayNotBreakIsReported();
        check.copiesWithTheSameRandomBitsAreReported();
        System.out.printf("self check: %d of %d passed%n", check.checks - check.failed, check.checks);
        System.exit(check.failed == 0 ? 0 : 1);
    }

    private void check(String what, boolean isKept) {
        checks++;
        if (!isKept) {
            failed++;
            System.out.println("FAILED: " + what);
        }
    }

    // Errors

    private void aRunWithoutAnErrorHasNoViolation() {
        check("a run without an error has no violation", !finds(memory(backend -> backend), violation -> true));
    }

    private void anErrorOfAnAcquireIsReported() {
        SimulatedRun.StoreFactory planted = memory(backend -> with(LockBackend.class, backend, "contend", call -> {
            throw new LinkageError("planted");
        }));

        check("an error of an acquire is reported", finds(planted, isFailure("failed with", "LinkageError: planted")));
    }

    private void anErrorThatEndsAThreadIsReported() {
        SimulatedRun.StoreFactory planted = memory(backend -> with(LockBackend.class, backend, "start", call -> {
            Runnable task = () -> {
                throw new IllegalStateException("planted");
            };
            ((BackendContext) call.arguments[0]).newThread("planted", task).start();
            return call.proceed();
        }));

        check(
                "an error that ends a thread is reported",
                finds(planted, isFailure("ended by", "IllegalStateException: planted")));
    }

    private static Predicate<Violation> isFailure(String how, String failure) {
        return violation -> violation.rule() == HistoryRule.FAILURES_ARE_DOCUMENTED
                && violation.what().contains(how)
                && violation.what().contains(failure);
    }

    // Repetition

    private void anotherOutcomeOfTheSameScheduleDiffers() {
        Plan plan = plan(Stores.MEMORY, 1, "");
        AtomicInteger runs = new AtomicInteger();
        SimulatedRun.StoreFactory planted = (simulation, network) -> {
            int run = runs.incrementAndGet();
            return memory(backend -> with(LockBackend.class, backend, "contend", call -> {
                        throw new IllegalArgumentException("planted in run " + run);
                    }))
                    .create(simulation, network);
        };

        check(
                "another outcome of the same schedule differs",
                Repetition.of(plan, null, planted).differs());
        check(
                "the same outcome does not differ",
                !Repetition.of(plan, null, memory(backend -> backend)).differs());
    }

    // Faults beyond the stated bounds

    private void whatAFaultMayBreakIsAcceptedOnlyThen() {
        SimulatedRun.StoreFactory redis = (simulation, network) -> Stores.create(Stores.REDIS, simulation, network);
        SimulatedRun.StoreFactory strict = redis(LOST_DATA, rule -> false);

        check(
                "lost data is seen to break S1",
                LongStream.rangeClosed(1, SEEDS)
                        .mapToObj(seed -> SimulatedRun.run(plan(Stores.REDIS, seed, LOST_DATA), null, redis))
                        .anyMatch(result -> result.excepted().stream().anyMatch(SelfCheck::isOverlap)));
        check(
                "a broken S1 without an exception is reported",
                finds(Stores.REDIS, LOST_DATA, strict, SelfCheck::isOverlap));
    }

    private static boolean isOverlap(Violation violation) {
        return violation.rule() == HistoryRule.HOLDS_DO_NOT_OVERLAP;
    }

    /** Tokens fall if a clock was set back before. */
    private void whatAFaultMayNotBreakIsReported() {
        SimulatedRun.StoreFactory planted =
                redis(LOST_DATA_AND_CLOCK_BACK, rule -> SimulatedStore.EXCLUSION.contains(rule));

        check(
                "a falling token is reported although S1 may break",
                finds(
                        Stores.REDIS,
                        LOST_DATA_AND_CLOCK_BACK,
                        planted,
                        violation -> violation.rule() == HistoryRule.TOKENS_RISE));
    }

    // Copies of a process

    /** The guarantees name what copies share. If they draw the same bits, they share later acquires, too. */
    private void copiesWithTheSameRandomBitsAreReported() {
        SimulatedRun.StoreFactory planted = (simulation, network) -> with(
                SimulatedStore.class,
                with(SimulatedStore.class, Stores.create(Stores.REDIS, simulation, network), "backend", call -> {
                    processes.add((SimulatedProcess) call.arguments[0]);
                    return call.proceed();
                }),
                "goOnIn",
                call -> {
                    processes.removeIf(process -> !isCopied(process));
                    processes.forEach(process -> process.becomeCopy(process.name(), 1));
                    return call.proceed();
                });

        check(
                "a copy that draws the same bits is reported",
                LongStream.rangeClosed(1, SEEDS)
                        .mapToObj(seed -> plan(Stores.REDIS, seed, ""))
                        .filter(SelfCheck::hasACopy)
                        .anyMatch(plan -> {
                            processes.clear();
                            return SimulatedRun.run(plan, null, planted).violations().stream()
                                    .anyMatch(SelfCheck::isOverlap);
                        }));
    }

    /** The first process at a place has the name of its copy without the last character. */
    private boolean isCopied(SimulatedProcess process) {
        return processes.stream()
                .map(SimulatedProcess::name)
                .anyMatch(name -> name.endsWith("'") && name.startsWith(process.name()));
    }

    private static boolean hasACopy(Plan plan) {
        return plan.faults().stream().map(Plan.Fault::kind).anyMatch(SimulatedStore.COPY::equals);
    }

    // Runs

    private static Plan plan(String store, long seed, String excluded) {
        return Plan.of(seed, store, Stores.faults(store), excluded);
    }

    private static boolean finds(SimulatedRun.StoreFactory stores, Predicate<Violation> what) {
        return SimulatedRun.run(plan(Stores.MEMORY, 1, ""), null, stores).violations().stream()
                .anyMatch(what);
    }

    private static boolean finds(
            String store, String excluded, SimulatedRun.StoreFactory stores, Predicate<Violation> what) {
        return LongStream.rangeClosed(1, SEEDS)
                .mapToObj(seed -> SimulatedRun.run(plan(store, seed, excluded), null, stores))
                .anyMatch(result -> result.violations().stream().anyMatch(what));
    }

    private static SimulatedRun.StoreFactory memory(UnaryOperator<LockBackend> planted) {
        return (simulation, network) -> with(
                SimulatedStore.class,
                Stores.create(Stores.MEMORY, simulation, network),
                "backend",
                call -> planted.apply((LockBackend) call.proceed()));
    }

    /** Returns stores whose fault may break only some of the rules that it breaks. */
    private static SimulatedRun.StoreFactory redis(String fault, Predicate<HistoryRule> mayBreak) {
        return (simulation, network) ->
                with(SimulatedStore.class, Stores.create(Stores.REDIS, simulation, network), "exceptions", call -> {
                    Map<HistoryRule, Duration> exceptions = new HashMap<>();
                    if (List.of(call.arguments).contains(fault)) {
                        ((Map<?, ?>) call.proceed())
                                .forEach((rule, length) -> exceptions.put((HistoryRule) rule, (Duration) length));
                    }
                    exceptions.keySet().removeIf(mayBreak.negate());
                    return exceptions;
                });
    }

    private interface Handler {
        @Nullable
        Object handle(Call call) throws Throwable;
    }

    @SuppressWarnings("ArrayRecordComponent") // Nobody compares it.
    private record Call(Object target, Method method, Object... arguments) {
        @Nullable
        Object proceed() throws Throwable {
            try {
                return method.invoke(target, arguments);
            } catch (InvocationTargetException e) {
                throw e.getCause();
            }
        }
    }

    /** Returns the same object with another method. */
    private static <T> T with(Class<T> type, T target, String name, Handler handler) {
        return type.cast(Proxy.newProxyInstance(
                SelfCheck.class.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> {
                    Call call = new Call(target, method, arguments == null ? new Object[0] : arguments);
                    return method.getName().equals(name) ? handler.handle(call) : call.proceed();
                }));
    }
}
