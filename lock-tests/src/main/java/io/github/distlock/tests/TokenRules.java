package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;

/** Fencing tokens rise. */
abstract class TokenRules extends Rules {

    @Test
    void s3_1_tokensRiseOverHolders() throws Exception {
        Peer a = peer();
        Peer b = peer();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 10; i++) {
            try (LockHandle held = (i % 2 == 0 ? a : b).lock(name).acquire()) {
                tokens.add(held.fencingToken());
            }
        }
        expectRising(tokens);
    }

    @Test
    void s3_2_tokensArePositiveAndStayTheSameForAHold() throws Exception {
        LockHandle held = peer().lock(name).acquire();
        long token = held.fencingToken();
        expect(token > 0, "a positive token", token);
        store.letPass(lease.multipliedBy(2));
        expect(held.fencingToken() == token, "the same token after renewals: " + token, held.fencingToken());
        held.close();
        expect(held.fencingToken() == token, "the same token after the release: " + token, held.fencingToken());
    }

    @Test
    void s3_3_tokensRiseOverLocalPassesAndStoreGrants() {
        Peer a = peer(builder -> builder.passing(3, Duration.ofMinutes(1)));
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
    void s3_4_tokensRiseWhenTheHolderFellSilent() throws Exception {
        Peer a = peer();
        long first = a.lock(name).acquire().fencingToken();
        silence(a);
        store.letPass(expiry(a));
        expectNextAbove(first);
    }

    @Test
    void s3_5_tokensRiseWhenTheHoldWasDeleted() throws Exception {
        long first = peer().lock(name).acquire().fencingToken();
        lose(name);
        expectNextAbove(first);
    }

    @Test
    void s3_6_tokensRiseWhenAllClientsOfTheLockHaveGone() throws Exception {
        Peer a = peer();
        List<Long> tokens = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            try (LockHandle held = a.lock(name).acquire()) {
                tokens.add(held.fencingToken());
            }
        }
        expectRising(tokens);
        a.locks.close();
        expectClean("after its only client was closed");
        expectNextAbove(tokens.get(tokens.size() - 1));
    }

    @Test
    void s3_7_tokensRiseInTheOrderOfGrants() throws Exception {
        Peer a = peer();
        silence(a);
        Task<LockHandle> slow = start(a.lock(name)::acquire);
        await("the store is asked", () -> a.faults.requests() > 0);
        long first = get(start(() -> {
            try (LockHandle held = peer().lock(name).acquire()) {
                return held.fencingToken();
            }
        }));
        restore(a);
        LockHandle held = get(slow);
        expectRising(List.of(first, held.fencingToken()));
        held.close();
    }

    private void expectNextAbove(long first) {
        Peer b = peer();
        LockHandle next = get(start(b.lock(name)::acquire), "another client gets the lock", soon());
        expectRising(List.of(first, next.fencingToken()));
        next.close();
    }

    private void expectRising(List<Long> tokens) {
        for (int i = 1; i < tokens.size(); i++) {
            expect(tokens.get(i) > tokens.get(i - 1), "each token greater than the one before", tokens);
        }
    }
}
