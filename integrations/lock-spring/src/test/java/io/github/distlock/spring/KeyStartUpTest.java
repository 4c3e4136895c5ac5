package io.github.distlock.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.springframework.core.NestedExceptionUtils;

/** Mistakes with names in keys, and with two annotations, fail at start-up. */
class KeyStartUpTest {

    private static String failure(Class<?> bean) {
        Throwable thrown = catchThrowable(() -> Application.of(bean).close());
        assertThat(thrown).as("no failure at start-up").isNotNull();
        return String.valueOf(NestedExceptionUtils.getMostSpecificCause(thrown).getMessage());
    }

    private static String uses(String method, String key, String name) {
        return "@DistributedLocked on " + KeyStartUpTest.class.getName() + "$" + method + ": key \"" + key + "\" uses "
                + name + " without #, which means a property of the bean; write #{#" + name
                + "} for the parameter, or #{#root." + name + "} for the property";
    }

    static class NoNumberSign {
        @DistributedLocked(key = "orders/#{id}")
        public void run(String id) {}
    }

    static class OfTheSameName {
        public String getId() {
            return "the same for all calls";
        }

        @DistributedLocked(key = "orders/#{id}")
        public void run(String id) {}
    }

    static class Inside {
        @DistributedLocked(key = "orders/#{id.trim() + #id + T(String).valueOf(1)}")
        public void run(String id) {}
    }

    static class AnArgument {
        @DistributedLocked(key = "orders/#{#id.concat(suffix)}")
        public void run(String id) {}
    }

    @Test
    void aParameterWithoutItsNumberSign() {
        assertThat(failure(NoNumberSign.class)).isEqualTo(uses("NoNumberSign.run(String)", "orders/#{id}", "id"));
        assertThat(failure(OfTheSameName.class)).isEqualTo(uses("OfTheSameName.run(String)", "orders/#{id}", "id"));
        assertThat(failure(Inside.class))
                .isEqualTo(uses("Inside.run(String)", "orders/#{id.trim() + #id + T(String).valueOf(1)}", "id"));
        assertThat(failure(AnArgument.class))
                .isEqualTo(uses("AnArgument.run(String)", "orders/#{#id.concat(suffix)}", "suffix"));
    }

    static class Properties {
        public final String field = "field";

        public String getTenant() {
            return "acme";
        }

        @DistributedLocked(
                key = "#{tenant}/#{field}/#{#root.tenant}/#{#map[key]}/#{#list.![class.simpleName][0]}"
                        + "/#{#list.?[length() > 0][0]}/#{{a: 1}['a']}")
        public String run(Map<String, String> map, List<String> list) {
            return LockedMethod.currentHandle().lockName();
        }
    }

    @Test
    void propertiesOfTheBeanOfElementsAndOfMapsAreNoMistakes() {
        try (Application application = Application.of(Properties.class)) {
            assertThat(application.bean(Properties.class).run(Map.of("key", "value"), List.of("one")))
                    .isEqualTo("acme/field/acme/value/String/one/1");
        }
    }

    @Retention(RetentionPolicy.RUNTIME)
    @DistributedLocked(key = "nightly")
    @interface Nightly {}

    @Nightly
    @DistributedLocked(key = "k")
    static class Twice {
        public void run() {}
    }

    @Test
    void twoAnnotationsOfAClass() {
        assertThat(failure(Twice.class))
                .endsWith("Twice.run(): there are two, which would have two orders; give one annotation several keys");
    }
}
