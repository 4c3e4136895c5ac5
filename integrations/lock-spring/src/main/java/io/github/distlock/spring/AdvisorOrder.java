package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.util.List;
import java.util.stream.IntStream;
import org.springframework.aop.Advisor;
import org.springframework.aop.PointcutAdvisor;

/**
 * Which advisors belong outside of the lock, and which inside. Types of optional libraries are known by their names.
 *
 * <ul>
 *   <li>A transaction around the lock commits after the release: the next holder does not see its changes.
 *   <li>A cache around the lock reads before the lock is held, and writes after its release.
 *   <li>Retries inside the lock go on after the lock is lost, and wait for their pauses with it.
 *   <li>Work that starts on another thread inside the lock goes on after the release.
 *   <li>Checks of rights inside the lock let callers without rights keep others out.
 * </ul>
 */
final class AdvisorOrder {

    /** One kind of advice. */
    private record Rule(String what, String typeOfAdvice, boolean belongsInside, String remedy) {}

    private static final List<Rule> RULES = List.of(
            new Rule(
                    "transaction",
                    "org.springframework.transaction.interceptor.TransactionAspectSupport",
                    true,
                    "a greater number in @EnableTransactionManagement(order = …)"),
            new Rule(
                    "cache",
                    "org.springframework.cache.interceptor.AbstractCacheInvoker",
                    true,
                    "a greater number in @EnableCaching(order = …)"),
            new Rule(
                    "retry",
                    "org.springframework.retry.annotation.AnnotationAwareRetryOperationsInterceptor",
                    false,
                    "@EnableRetry(order = Ordered.LOWEST_PRECEDENCE - 200)"),
            new Rule(
                    "asynchronous execution",
                    "org.springframework.aop.interceptor.AsyncExecutionAspectSupport",
                    false,
                    "the default order of @EnableAsync"),
            new Rule(
                    "authorization",
                    "org.springframework.security.authorization.method.AuthorizationManagerBeforeMethodInterceptor",
                    false,
                    "a smaller number as the order of the method security"));

    private AdvisorOrder() {}

    /**
     * Checks the order for one method.
     *
     * @param advisors those of its bean, the outermost first
     * @throws IllegalStateException if an advisor of the method is on the wrong side of the lock
     */
    static void check(Method method, Class<?> type, List<Advisor> advisors) {
        int lock = IntStream.range(0, advisors.size())
                .filter(i -> advisors.get(i) instanceof LockAdvisor)
                .findFirst()
                .orElseThrow();
        for (int i = 0; i < advisors.size(); i++) {
            boolean isInside = i > lock;
            for (Rule rule : RULES) {
                if (rule.belongsInside != isInside && applies(rule, advisors.get(i), method, type)) {
                    throw LockAnnotations.refusal(
                            method,
                            "the " + rule.what + " of the method stands " + (isInside ? "inside" : "outside")
                                    + " of the lock, and belongs " + (isInside ? "outside" : "inside") + "; use "
                                    + rule.remedy + ", or another distlock.annotation.order");
                }
            }
        }
    }

    private static boolean applies(Rule rule, Advisor advisor, Method method, Class<?> type) {
        return Executions.hasTypeOf(advisor.getAdvice().getClass(), List.of(rule.typeOfAdvice))
                && (!(advisor instanceof PointcutAdvisor pointcut)
                        || pointcut.getPointcut().getMethodMatcher().matches(method, type));
    }
}
