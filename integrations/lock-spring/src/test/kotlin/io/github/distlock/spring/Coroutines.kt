package io.github.distlock.spring

import io.github.distlock.LockHandle
import kotlinx.coroutines.flow.Flow
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.toList
import kotlinx.coroutines.future.future
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.reactor.awaitSingle
import java.util.concurrent.CompletableFuture

/** Functions of Kotlin with locks. Java calls them through futures. */
open class Coroutines {
    /** The proxy of this object. */
    lateinit var self: Coroutines

    @DistributedLocked(key = ["coroutine/#{#id}"], maxWait = "0s")
    open suspend fun suspending(id: String, work: suspend (Long) -> Unit): Long {
        val token = ReactiveLockedMethod.currentHandle().awaitSingle().fencingToken()
        work(token)
        return token
    }

    @DistributedLocked(key = ["coroutine/handle"])
    open suspend fun withHandle(handle: LockHandle?): Long = handle!!.fencingToken()

    @DistributedLocked(key = ["coroutine/flow"], maxWait = "0s")
    open fun flowing(work: suspend () -> Unit): Flow<Int> = flow {
        emit(1)
        work()
        emit(2)
    }

    @DistributedLocked(key = ["coroutine/flow"], maxWait = "0s")
    open suspend fun suspendingFlow(work: suspend () -> Unit): Flow<Int> = flow {
        emit(1)
        work()
        emit(2)
    }

    @DistributedLocked(key = ["coroutine/skip"], onBusy = OnBusy.SKIP)
    open suspend fun skipped(): String? = "ran"

    @DistributedLocked(key = ["coroutine/fallback"], maxWait = "0s", onBusy = OnBusy.FALLBACK, fallback = "instead")
    open suspend fun falling(id: String): String = "ran"

    private suspend fun instead(id: String): String = "instead of $id"

    /** Awaits a future in the middle, and calls the function again inside. */
    fun runSuspending(id: String, pause: CompletableFuture<*>?): CompletableFuture<List<Long>> =
        CoroutineScope(Dispatchers.Default).future {
            val tokens = mutableListOf<Long>()
            tokens += self.suspending(id) {
                if (pause != null) awaitFuture(pause)
                tokens += self.suspending(id) {}
            }
            tokens
        }

    fun runHandle(): CompletableFuture<Long> = CoroutineScope(Dispatchers.Default).future { self.withHandle(null) }

    fun runFlow(pause: CompletableFuture<*>): CompletableFuture<List<Int>> =
        CoroutineScope(Dispatchers.Default).future { self.flowing { awaitFuture(pause) }.toList() }

    fun runSuspendingFlow(pause: CompletableFuture<*>): CompletableFuture<List<Int>> =
        CoroutineScope(Dispatchers.Default).future { self.suspendingFlow { awaitFuture(pause) }.toList() }

    fun runSkipped(): CompletableFuture<String?> = CoroutineScope(Dispatchers.Default).future { self.skipped() }

    fun runFalling(id: String): CompletableFuture<String> =
        CoroutineScope(Dispatchers.Default).future { self.falling(id) }

    private suspend fun awaitFuture(future: CompletableFuture<*>) {
        reactor.core.publisher.Mono.fromFuture(future.thenApply { true }).awaitSingle()
    }
}

/** Kotlin's classes and functions are final unless its plug-in opens them. */
class FinalByDefault {
    @DistributedLocked(key = ["k"])
    fun run() {
    }
}

/** This class is open, and its function is not. */
open class FinalFunction {
    @DistributedLocked(key = ["k"])
    fun run() {
    }
}

/** A number cannot be skipped. */
open class PrimitiveSkip {
    @DistributedLocked(key = ["k"], onBusy = OnBusy.SKIP)
    open suspend fun run(): Int = 1
}

/** Its value would be worked out after the lock is released. */
open class LaterSequence {
    @DistributedLocked(key = ["k"])
    open suspend fun run(): Sequence<Int> = sequenceOf(1)
}

/** It has no mistake. */
open class Suspending {
    @DistributedLocked(key = ["k"])
    open suspend fun run() {
    }
}
