package io.github.distlock.spring;

import static io.github.distlock.spring.LockAnnotations.refusal;

import io.github.distlock.LockClient;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spring.DistributedLocked.Mode;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.Method;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.BeansException;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.format.datetime.standard.DurationFormatterUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.function.SingletonSupplier;

/** Turns the annotation of a method into its description, and refuses what cannot work. */
final class MethodLockParser {
    private final ConfigurableListableBeanFactory beans;
    /** Not made with the advisor, which a BeanPostProcessor may need before there are values for placeholders. */
    private final Supplier<ActiveTransactions> transactions;

    MethodLockParser(ConfigurableListableBeanFactory beans) {
        this.beans = beans;
        transactions = SingletonSupplier.of(() ->
                new ActiveTransactions(String.valueOf(beans.resolveEmbeddedValue(ActiveTransactions.placeholder()))));
    }

    /**
     * Describes the lock of a method.
     *
     * @param method the method of the bean's class
     * @param type the bean's class
     * @throws IllegalStateException if there is a mistake, with the method and the remedy
     */
    MethodLock parse(Method method, Class<?> type) {
        DistributedLocked annotation = Objects.requireNonNull(LockAnnotations.find(method, type));
        if (isTwiceOn(method) || isTwiceOn(method.getDeclaringClass())) {
            throw refusal(method, "there are two, which would have two orders; give one annotation several keys");
        }
        Texts texts = new Texts(method);
        LockClient client = client(method, texts.of("client", annotation.client()));
        LockOptions options = options(texts, annotation, client);
        List<String> keys = Arrays.stream(annotation.key())
                .map(key -> texts.resolved("key", key))
                .toList();
        if (keys.size() > 1 && annotation.mode() != Mode.EXCLUSIVE) {
            throw refusal(method, "several keys need mode EXCLUSIVE, and this is " + annotation.mode());
        }
        checkStore(method, new LockTarget(client, annotation.mode(), options, List.of("start-up check")));
        return new MethodLock(
                client,
                annotation.mode(),
                options,
                KeyTemplate.parse(method, type, keys, beans),
                maxWait(texts, annotation),
                annotation.onBusy(),
                fallback(method, annotation, type),
                Arrays.asList(method.getParameterTypes()).indexOf(LockHandle.class),
                Executions.of(method, type, annotation.onBusy(), transactions.get()));
    }

    private static boolean isTwiceOn(AnnotatedElement element) {
        return MergedAnnotations.from(element).stream(DistributedLocked.class).count() > 1;
    }

    private LockClient client(Method method, Optional<String> name) {
        try {
            return name.isPresent() ? beans.getBean(name.get(), LockClient.class) : beans.getBean(LockClient.class);
        } catch (BeansException e) {
            throw refusal(method, "there is no such LockClient bean: " + e.getMessage());
        }
    }

    /** Starts from the library's defaults, because the client's own may say what the annotation takes back. */
    private static LockOptions options(Texts texts, DistributedLocked annotation, LockClient client) {
        LockOptions given = client.lock("start-up check").options();
        Optional<Duration> lease = texts.duration(
                "lease", annotation.lease(), annotation.fixedLease().isEmpty());
        Optional<Duration> fixed = texts.duration(
                "fixedLease", annotation.fixedLease(), annotation.lease().isEmpty());
        if (lease.isPresent() && fixed.isPresent()) {
            throw texts.refusal("lease and fixedLease exclude each other");
        }
        boolean isFixed = fixed.isPresent() || (lease.isEmpty() && !given.isLeaseRenewed());
        boolean isFair = texts.flag("fair", annotation.fair()).orElse(given.isFair());
        Optional<Duration> minimum =
                texts.duration("minimumHold", annotation.minimumHold(), true).or(given::minimumHold);
        Optional<Duration> maximum =
                texts.duration("maximumHold", annotation.maximumHold(), true).or(given::maximumHold);
        Duration length = fixed.or(() -> lease).orElse(given.lease());
        try {
            LockOptions options = LockOptions.defaults();
            options = isFixed ? options.fixedLease(length) : options.renewedLease(length);
            options = isFair ? options.fair() : options;
            options = maximum.map(options::maximumHold).orElse(options);
            options = minimum.map(options::minimumHold).orElse(options);
            boolean canStick = annotation.mode() == Mode.EXCLUSIVE && !isFixed && !isFair && minimum.isEmpty();
            return given.isSticky() && canStick ? options.sticky() : options;
        } catch (IllegalArgumentException e) {
            throw texts.refusal(String.valueOf(e.getMessage()));
        }
    }

    private static void checkStore(Method method, LockTarget probe) {
        try {
            var unused = probe.lock();
        } catch (IllegalArgumentException e) {
            throw refusal(method, "the store cannot do this: " + e.getMessage());
        }
    }

    private static Duration maxWait(Texts texts, DistributedLocked annotation) {
        boolean waits = annotation.onBusy() != OnBusy.SKIP;
        return texts.duration("maxWait", annotation.maxWait(), waits)
                .orElse(waits ? Duration.ofSeconds(10) : Duration.ZERO);
    }

    private static @Nullable Method fallback(Method method, DistributedLocked annotation, Class<?> type) {
        String name = annotation.fallback();
        if (name.isEmpty() != (annotation.onBusy() != OnBusy.FALLBACK)) {
            throw refusal(method, "onBusy = FALLBACK and fallback = \"<method>\" need each other");
        }
        if (name.isEmpty()) {
            return null;
        }
        Method fallback = ReflectionUtils.findMethod(type, name, method.getParameterTypes());
        if (fallback == null) {
            throw refusal(method, "there is no fallback method \"" + name + "\" with the same parameters");
        }
        if (!ClassUtils.isAssignable(method.getReturnType(), fallback.getReturnType())) {
            throw refusal(
                    method,
                    "its fallback method \"" + name + "\" returns "
                            + fallback.getReturnType().getSimpleName() + " instead of "
                            + method.getReturnType().getSimpleName());
        }
        if (LockAnnotations.find(fallback, type) != null) {
            throw refusal(method, "its fallback method \"" + name + "\" has a lock, which this call would not take");
        }
        return fallback;
    }

    /** Reads the texts of one annotation. */
    private final class Texts {
        private final Method method;

        Texts(Method method) {
            this.method = method;
        }

        IllegalStateException refusal(String problem) {
            return LockAnnotations.refusal(method, problem);
        }

        String resolved(String attribute, String text) {
            String resolved = beans.resolveEmbeddedValue(text);
            if (resolved == null || resolved.contains("${")) {
                throw refusal("the placeholder in " + attribute + " = \"" + text + "\" has no value");
            }
            return resolved.strip();
        }

        /** Returns the text of the annotation, or else of the property with the same name. */
        Optional<String> of(String attribute, String text) {
            String property = attribute.replaceAll("[A-Z]", "-$0").toLowerCase(Locale.ROOT);
            String found = resolved(attribute, text.isEmpty() ? "${distlock.annotation." + property + ":}" : text);
            return Optional.of(found).filter(value -> !value.isEmpty());
        }

        Optional<Duration> duration(String attribute, String text, boolean orProperty) {
            Optional<String> found = text.isEmpty() && !orProperty ? Optional.empty() : of(attribute, text);
            return found.map(value -> duration(attribute, value));
        }

        private Duration duration(String attribute, String value) {
            Duration duration;
            try {
                duration = DurationFormatterUtils.detectAndParse(value);
            } catch (IllegalArgumentException | IllegalStateException e) {
                throw refusal(attribute + " = \"" + value + "\" is not a duration; write for example 5s or PT5S");
            }
            if (duration.isNegative()) {
                throw refusal(attribute + " = \"" + value + "\" is negative");
            }
            return duration;
        }

        Optional<Boolean> flag(String attribute, String text) {
            Optional<String> found = of(attribute, text);
            if (found.isPresent() && !found.get().matches("true|false")) {
                throw refusal(attribute + " = \"" + found.get() + "\" must be true or false");
            }
            return found.map(Boolean::valueOf);
        }
    }
}
