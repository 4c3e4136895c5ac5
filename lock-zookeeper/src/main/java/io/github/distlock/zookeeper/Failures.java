package io.github.distlock.zookeeper;

import io.github.distlock.spi.RequestRefusedException;
import org.apache.zookeeper.KeeperException;

/** What ZooKeeper's errors mean to the engine. */
final class Failures {
    private Failures() {}

    /** Whether the request may have been carried out, or may be yet. */
    static boolean isUnknownOutcome(KeeperException e) {
        return switch (e.code()) {
            case CONNECTIONLOSS,
                    OPERATIONTIMEOUT,
                    REQUESTTIMEOUT,
                    SESSIONEXPIRED,
                    SESSIONMOVED,
                    AUTHFAILED,
                    SYSTEMERROR -> true;
            default -> false;
        };
    }

    /** To be thrown to the engine: a refusal, or something that may pass. */
    static RuntimeException of(String lockName, KeeperException e) {
        String words = "lock \"" + lockName + "\": ZooKeeper says " + e.getMessage();
        return switch (e.code()) {
            case NOAUTH,
                    AUTHFAILED,
                    INVALIDACL,
                    SESSIONCLOSEDREQUIRESASLAUTH,
                    BADARGUMENTS,
                    MARSHALLINGERROR,
                    UNIMPLEMENTED,
                    NOCHILDRENFOREPHEMERALS,
                    QUOTAEXCEEDED -> new RequestRefusedException(words, e);
            default -> new IllegalStateException(words, e);
        };
    }
}
