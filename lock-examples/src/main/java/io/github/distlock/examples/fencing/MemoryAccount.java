package io.github.distlock.examples.fencing;

import io.github.distlock.fencing.FencingGuard;
import java.time.Duration;
import java.util.concurrent.locks.ReentrantLock;

/** Balances in the memory of a service. The check and the write are one step, because they are under one mutex. */
final class MemoryAccount implements Account {
    private final FencingGuard guard = FencingGuard.of(1_000, Duration.ofHours(1));
    private final ReentrantLock mutex = new ReentrantLock();
    private String balance = "100";
    private volatile String unfencedBalance = "100";

    @Override
    public void write(String newBalance, long token) {
        mutex.lock();
        try {
            guard.check("account/7", token);
            balance = newBalance;
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public void writeUnfenced(String newBalance) {
        unfencedBalance = newBalance;
    }

    @Override
    public String balance() {
        mutex.lock();
        try {
            return balance;
        } finally {
            mutex.unlock();
        }
    }

    @Override
    public String unfencedBalance() {
        return unfencedBalance;
    }
}
