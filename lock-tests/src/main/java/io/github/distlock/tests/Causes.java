package io.github.distlock.tests;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** The faults that a rule begins with. Those that its fixture cannot cause are reported by name. */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface Causes {
    StoreFault[] value();
}
