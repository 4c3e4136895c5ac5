package io.github.distlock.spring.boot;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockClient;
import io.github.distlock.memory.InMemoryBackend;
import io.github.distlock.redis.RedisBackend;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.zookeeper.ZooKeeperBackend;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

/** Where the auto-configuration finds the store. No store runs here: a start-up does not need one. */
@ExtendWith(OutputCaptureExtension.class)
class AddressTest {
    @Test
    void aBackendBeanComesFirst() {
        Contexts.memory()
                .withPropertyValues("distlock.redis.url=redis://nowhere:1")
                .run(context -> {
                    assertThat(context).hasSingleBean(LockBackend.class);
                    assertThat(context.getBean(LockBackend.class)).isInstanceOf(InMemoryBackend.class);
                    assertThat(context).hasBean("lockClient");
                });
    }

    @Test
    void theUrlComesBeforeTheConnectionDetailsOfBoot(CapturedOutput output) {
        Contexts.springDataRedis()
                .withPropertyValues("distlock.redis.url=redis://me:secret@locks:7000/1", "spring.data.redis.host=data")
                .run(context -> {
                    assertThat(context.getBean(LockBackend.class)).isInstanceOf(RedisBackend.class);
                    assertThat(output).contains("Locks are in Redis at redis://locks:7000/1, without a namespace");
                    assertThat(output).doesNotContain("secret");
                });
    }

    @Test
    void theConnectionDetailsOfBootNameAServer(CapturedOutput output) {
        Contexts.springDataRedis()
                .withPropertyValues("spring.data.redis.url=redis://me:secret@data:7001/3", "distlock.namespace=shop")
                .run(context -> {
                    assertThat(context).hasSingleBean(LockClient.class);
                    assertThat(output).contains("Locks are in Redis at redis://data:7001/3, namespace \"shop\"");
                    assertThat(output).doesNotContain("secret");
                });
    }

    @Test
    void theConnectionDetailsOfBootNameSentinels(CapturedOutput output) {
        Contexts.springDataRedis()
                .withPropertyValues(
                        "spring.data.redis.sentinel.master=my primary",
                        "spring.data.redis.sentinel.nodes=one:26379,[::1]:26380",
                        "spring.data.redis.sentinel.password=secret1",
                        "spring.data.redis.password=secret2",
                        "spring.data.redis.database=2")
                .run(context -> {
                    assertThat(context).hasSingleBean(LockClient.class);
                    assertThat(output)
                            .contains("Locks are in Redis at redis-sentinel://one:26379,[::1]:26380/my%20primary,");
                    assertThat(output).doesNotContain("secret");
                });
    }

    @Test
    void theConnectionDetailsOfBootNameACluster(CapturedOutput output) {
        Contexts.springDataRedis()
                .withPropertyValues("spring.data.redis.cluster.nodes=one:1,two:2")
                .run(context -> {
                    assertThat(context).hasSingleBean(LockClient.class);
                    assertThat(output).contains("Locks are in Redis at redis-cluster://one:1,two:2,");
                });
    }

    @Test
    void theConnectionDetailsOfBootSwitchTlsOn(CapturedOutput output) {
        Contexts.springDataRedis()
                .withPropertyValues("spring.data.redis.host=data", "spring.data.redis.ssl.enabled=true")
                .run(context -> assertThat(output).contains("Locks are in Redis at rediss://data:6379/0,"));
    }

    @Test
    void withoutAnAddressOfRedisTheStartUpFails() {
        Contexts.redis()
                .run(context -> Failures.assertThatStartUpFails(
                        context,
                        "distlock does not know where Redis is.",
                        "Set distlock.redis.url, for example to redis://localhost:6379."));
    }

    @Test
    void aMalformedUrlFailsTheStartUpAndIsNotShown() {
        Contexts.redis()
                .withPropertyValues("distlock.redis.url=redis://me:secret@host:port")
                .run(context -> {
                    Failures.assertThatStartUpFails(
                            context, "distlock cannot read the address of Redis:", "Correct distlock.redis.url.");
                    assertThat(context.getStartupFailure()).hasStackTraceContaining("uri must be redis://host:port");
                    assertThat(context.getStartupFailure().toString()).doesNotContain("secret");
                });
    }

    @Test
    void theConnectStringNamesZooKeeper(CapturedOutput output) {
        Contexts.zooKeeper()
                .withBean(CuratorFramework.class, AddressTest::curator)
                .withPropertyValues(
                        "distlock.zookeeper.connect-string=zk1:2181,zk2:2181/locks", "distlock.namespace=shop")
                .run(context -> {
                    assertThat(context.getBean(LockBackend.class)).isInstanceOf(ZooKeeperBackend.class);
                    assertThat(output)
                            .contains("Locks are in ZooKeeper at zk1:2181,zk2:2181/locks, namespace \"shop\"");
                });
    }

    @Test
    void aBeanOfCuratorNamesZooKeeper(CapturedOutput output) {
        Contexts.zooKeeper()
                .withBean(CuratorFramework.class, AddressTest::curator)
                .run(context -> {
                    assertThat(context.getBean(LockBackend.class)).isInstanceOf(ZooKeeperBackend.class);
                    assertThat(output)
                            .contains("Locks are in ZooKeeper of the CuratorFramework bean, without a namespace");
                });
    }

    @Test
    void withoutAnAddressOfZooKeeperTheStartUpFails() {
        Contexts.zooKeeper()
                .run(context -> Failures.assertThatStartUpFails(
                        context,
                        "distlock does not know where ZooKeeper is.",
                        "Set distlock.zookeeper.connect-string, for example to localhost:2181"));
    }

    @Test
    void aMalformedConnectStringFailsTheStartUp() {
        Contexts.zooKeeper()
                .withPropertyValues("distlock.zookeeper.connect-string=host:port")
                .run(context -> Failures.assertThatStartUpFails(
                        context,
                        "distlock cannot read the address of ZooKeeper:",
                        "Correct distlock.zookeeper.connect-string."));
    }

    @Test
    void ofTwoBackendsAPropertyMustChoose() {
        Contexts.both()
                .withPropertyValues("distlock.redis.url=redis://nowhere:1")
                .run(context -> Failures.assertThatStartUpFails(
                        context,
                        "distlock has two backends: lock-redis and lock-zookeeper are on the class path.",
                        "Set distlock.backend to redis or zookeeper."));
    }

    @Test
    void thePropertyChoosesOneOfTwoBackends() {
        Contexts.both()
                .withPropertyValues("distlock.backend=redis", "distlock.redis.url=redis://nowhere:1")
                .run(context -> assertThat(context.getBean(LockBackend.class)).isInstanceOf(RedisBackend.class));
        Contexts.both()
                .withPropertyValues("distlock.backend=zookeeper", "distlock.zookeeper.connect-string=nowhere:1")
                .run(context -> assertThat(context.getBean(LockBackend.class)).isInstanceOf(ZooKeeperBackend.class));
        Contexts.both()
                .withPropertyValues("distlock.backend=memory")
                .run(context -> assertThat(context.getBean(LockBackend.class)).isInstanceOf(InMemoryBackend.class));
    }

    @Test
    void withoutABackendTheStartUpFails() {
        Contexts.both()
                .withClassLoader(new FilteredClassLoader("io.github.distlock.redis", "io.github.distlock.zookeeper"))
                .run(context -> Failures.assertThatStartUpFails(
                        context,
                        "distlock has no backend: neither lock-redis nor lock-zookeeper is on the class path.",
                        "Add the dependency io.github.distlock:lock-spring-boot-starter for Redis"));
    }

    @Test
    void aBackendThatIsNotOnTheClassPathFailsTheStartUp() {
        Contexts.zooKeeper()
                .withPropertyValues("distlock.backend=redis")
                .run(context -> Failures.assertThatStartUpFails(
                        context,
                        "distlock.backend is redis, but lock-redis is not on the class path.",
                        "Add the dependency io.github.distlock:lock-redis."));
    }

    @Test
    void aNamespaceOfOtherCharactersFailsTheStartUp() {
        Contexts.redis()
                .withPropertyValues("distlock.redis.url=redis://nowhere:1", "distlock.namespace=a:b")
                .run(context -> Failures.assertThatStartUpFails(
                        context, "distlock.namespace is \"a:b\", which has other characters", "Choose another"));
    }

    private static CuratorFramework curator() {
        return CuratorFrameworkFactory.newClient("nowhere:1", new RetryOneTime(1));
    }
}
