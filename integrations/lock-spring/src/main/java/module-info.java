/**
 * Locks by annotation for applications of the Spring Framework.
 *
 * <p>Start at {@link io.github.distlock.spring.DistributedLocked}.
 */
module io.github.distlock.spring {
    requires transitive io.github.distlock;
    requires org.slf4j;
    requires spring.aop;
    requires spring.beans;
    requires transitive spring.context;
    requires transitive spring.core;
    requires spring.expression;
    requires static org.jspecify;
    requires static org.reactivestreams;
    requires static transitive reactor.core;
    requires static transitive spring.integration.core;
    requires static spring.tx;

    exports io.github.distlock.spring;

    opens io.github.distlock.spring;
}
