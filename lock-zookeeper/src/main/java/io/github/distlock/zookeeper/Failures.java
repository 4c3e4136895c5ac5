package io.github.distlock.zookeeper;

import io.github.distlock.spi.RequestRefusedException;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;

/** Translates errors of ZooKeeper to exceptions of the backend interface. */
final class Failures {
    private Failures() {}

    /**
     * Makes the exception for an answer of the server.
     *
     * @param right the right that the request needs, and the node on which it needs it
     */
    static KeeperException failure(Code code, String path, String right) {
        return KeeperException.create(
                code, code == Code.NOAUTH ? path + ": the client needs the right " + right : path);
    }

    /** Returns whether the server may have executed the request, or may execute it yet. */
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

    /** Returns a refusal if the same request would fail again, otherwise an exception for an error that may pass. */
    static RuntimeException of(String lockName, KeeperException e) {
        String words = "lock \"" + lockName + "\": the request to ZooKeeper failed: " + e.getMessage();
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
