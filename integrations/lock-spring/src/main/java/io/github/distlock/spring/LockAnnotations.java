package io.github.distlock.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.util.ReflectionUtils;

/** Finds the annotation of a method, and names the method in messages. */
final class LockAnnotations {
    private LockAnnotations() {}

    /**
     * Returns the annotation of a method. A method inherits it from the methods that it overrides or implements. A
     * class gives it to the public methods that it declares itself.
     */
    static @Nullable DistributedLocked find(Method method, Class<?> type) {
        Method specific = AopUtils.getMostSpecificMethod(method, type);
        DistributedLocked own = AnnotatedElementUtils.findMergedAnnotation(specific, DistributedLocked.class);
        if (own != null || !isPublicOfAnInstance(specific)) {
            return own;
        }
        return AnnotatedElementUtils.getMergedAnnotation(specific.getDeclaringClass(), DistributedLocked.class);
    }

    private static boolean isPublicOfAnInstance(Method method) {
        return Modifier.isPublic(method.getModifiers())
                && !Modifier.isStatic(method.getModifiers())
                && !method.isSynthetic()
                && !ReflectionUtils.isObjectMethod(method);
    }

    static IllegalStateException refusal(Method method, String problem) {
        return new IllegalStateException("@DistributedLocked on " + signature(method) + ": " + problem);
    }

    static String signature(Method method) {
        return Arrays.stream(method.getParameterTypes())
                .map(Class::getSimpleName)
                .collect(Collectors.joining(
                        ", ", method.getDeclaringClass().getName() + "." + method.getName() + "(", ")"));
    }
}
