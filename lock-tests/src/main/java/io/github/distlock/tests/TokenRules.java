package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Rules S3: fencing tokens rise. */
abstract class TokenRules extends Rules {

    @Test
    void s3_1_tokensIncreaseWithEachHolder() {
        Peer a = peer();
        Peer b = peer();

        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            tokens.add(nextToken(i % 2 == 0 ? a : b));
        }

        expectRising(tokens);
    }

    @Test
    void s3_3_tokensIncreaseAcrossLocalHandoffsAndStoreGrants() {
        Peer a = peer(builder -> builder.localHandoff(3, Duration.ofMinutes(1)));
        Peer b = peer();
        List<Long> tokens = new CopyOnWriteArrayList<>();

        List<Task<Integer>> workers = new ArrayList<>();
        for (Peer peer : List.of(a, a, a, b)) {
            workers.add(start(() -> {
                for (int i = 0; i < 25; i++) {
                    peer.lock(name).runLocked(held -> tokens.add(held.fencingToken()));
                }
                return 25;
            }));
        }
        workers.forEach(this::get);

        expectRising(tokens);
    }

    @Test
    void s3_4_tokensIncreaseAfterTheHolderFellSilent() {
        Peer a = peer();
        long first = acquire(a).fencingToken();

        silence(a);
        store.letPass(expiry(a));

        expectNextAbove(first);
    }

    @Test
    void s3_5_tokensIncreaseAfterTheHoldWasDeleted() {
        long first = acquire(peer()).fencingToken();

        lose(name);

        expectNextAbove(first);
    }

    @Test
    void s3_6_tokensIncreaseAfterAllClientsWereClosed() {
        Peer a = peer();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            tokens.add(nextToken(a));
        }

        a.locks.close();

        expectRising(tokens);
        expectClean("after its only client was closed");
        expectNextAbove(tokens.get(tokens.size() - 1));
    }

    @Test
    void s3_7_tokensIncreaseInTheOrderOfGrants() {
        Peer a = peer();
        silence(a);
        Task<LockHandle> slow = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 0);

        long first = nextToken(peer());
        restore(a);
        long second = get(slow).fencingToken();

        expectRising(List.of(first, second));
    }

    private long nextToken(Peer peer) {
        LockHandle held = acquire(peer);
        held.close();
        return held.fencingToken();
    }

    private void expectNextAbove(long first) {
        expectRising(List.of(first, acquireSoon(peer()).fencingToken()));
    }

    private void expectRising(List<Long> tokens) {
        for (int i = 1; i < tokens.size(); i++) {
            expect(tokens.get(i) > tokens.get(i - 1), "each token greater than the one before", tokens);
        }
    }
}
