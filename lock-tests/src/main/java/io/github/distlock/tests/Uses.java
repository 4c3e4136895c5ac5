package io.github.distlock.tests;

import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** How a rule uses its lock, or all rules of a class. */
@Inherited
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@interface Uses {
    LockUse value() default LockUse.LOCK;

    /** Whether the test makes the lock sticky. */
    boolean sticky() default false;

    /** Whether the test gives the lock a lock delay. */
    boolean delayed() default false;
}
