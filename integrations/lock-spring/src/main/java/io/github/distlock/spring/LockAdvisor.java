package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.StaticMethodMatcherPointcut;

/** Puts a {@link LockInterceptor} around the methods with an annotation. */
final class LockAdvisor extends DefaultPointcutAdvisor {
    private static final long serialVersionUID = 1L;

    LockAdvisor(MethodLocks locks, int order) {
        super(new Annotated(), new LockInterceptor(locks));
        setOrder(order);
    }

    private static final class Annotated extends StaticMethodMatcherPointcut {
        @Override
        public boolean matches(Method method, Class<?> type) {
            boolean isLocked = LockAnnotations.find(method, type) != null;
            if (isLocked && Modifier.isFinal(type.getModifiers()) && type.getInterfaces().length == 0) {
                throw LockAnnotations.refusal(
                        method,
                        "its class is final and has no interface, so it can have no proxy; do not make it final"
                                + " (in Kotlin: open it, or use the compiler plug-in \"spring\")");
            }
            return isLocked;
        }
    }
}
