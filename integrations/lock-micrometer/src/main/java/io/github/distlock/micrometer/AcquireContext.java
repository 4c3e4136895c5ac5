package io.github.distlock.micrometer;

import io.micrometer.common.KeyValue;
import io.micrometer.common.KeyValues;
import io.micrometer.observation.Observation;

/** What an observation of an acquire has from its beginning. */
final class AcquireContext extends Observation.Context {
    static final String NAME = ClientMeters.ACQUIRE;

    private final String lockName;

    AcquireContext(String client, String lockName, String tag) {
        this.lockName = lockName;
        setContextualName("acquire " + tag);
        addLowCardinalityKeyValues(KeyValues.of(ClientMeters.CLIENT, client, ClientMeters.LOCK, tag));
        addHighCardinalityKeyValue(KeyValue.of("lock.name", lockName));
    }

    String lockName() {
        return lockName;
    }
}
