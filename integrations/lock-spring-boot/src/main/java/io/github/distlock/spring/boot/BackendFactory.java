package io.github.distlock.spring.boot;

import io.github.distlock.spi.LockBackend;
import java.util.List;

/** Makes backends of one kind. There is a bean for each kind on the class path. */
interface BackendFactory {

    /** A backend, and where its store is, without credentials. */
    record Store(LockBackend backend, String address) {}

    BackendKind kind();

    /**
     * Makes a backend. Sends nothing.
     *
     * @throws LockStartUpException if the properties do not say where the store is
     */
    Store create();

    /**
     * Chooses among the kinds on the class path.
     *
     * @throws LockStartUpException if the choice of the properties is not there, or if they have to choose
     */
    static BackendFactory choose(List<BackendFactory> present, DistlockProperties properties) {
        BackendKind wanted = properties.backend();
        if (wanted != null) {
            return present.stream()
                    .filter(each -> each.kind() == wanted)
                    .findFirst()
                    .orElseThrow(() -> new LockStartUpException(
                            "distlock.backend is " + wanted.property() + ", but " + wanted.artifact
                                    + " is not on the class path.",
                            "Add the dependency io.github.distlock:" + wanted.artifact + "."));
        }
        List<BackendFactory> stores = present.stream()
                .filter(each -> each.kind() != BackendKind.MEMORY)
                .toList();
        if (stores.isEmpty()) {
            throw new LockStartUpException(
                    "distlock has no backend: neither lock-redis nor lock-zookeeper is on the class path.",
                    "Add the dependency io.github.distlock:lock-spring-boot-starter for Redis, or"
                            + " lock-spring-boot-starter-zookeeper. For a test, set distlock.backend=memory.");
        }
        if (stores.size() > 1) {
            throw new LockStartUpException(
                    "distlock has two backends: lock-redis and lock-zookeeper are on the class path.",
                    "Set distlock.backend to redis or zookeeper.");
        }
        return stores.get(0);
    }
}
