package io.github.distlock.tests;

import io.github.distlock.DistributedLock;
import io.github.distlock.LockClient;
import io.github.distlock.LockClientBuilder;
import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Capability;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import org.jspecify.annotations.NullUnmarked;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Every store takes the same names and times, and refuses the same, before it is asked. */
abstract class InputRules extends Rules {
    private static final Duration TOO_LONG = Duration.ofSeconds(Long.MAX_VALUE);

    @Test
    @NullUnmarked
    void api_29_nullIsRefusedByName() throws Exception {
        Peer a = peer();
        DistributedLock lock = a.lock(name);
        expectNull("name", () -> a.locks.lock(null));
        expectNull("name", () -> a.locks.lock(null, options()));
        expectNull("options", () -> a.locks.lock(name, null));
        expectNull("maxWait", () -> lock.tryAcquire(null));
        expectNull("maxWait", () -> lock.tryAcquireAsync(null));
        expectNull("action", () -> lock.runLocked(null));
        expectNull("action", () -> lock.callLocked(null));
        expectNull("action", () -> lock.tryRunLocked(Duration.ZERO, null));
        expectNull("action", () -> lock.tryCallLocked(Duration.ZERO, null));
        expectNull("maxWait", () -> lock.tryRunLocked(null, held -> {}));
        expectNull("maxWait", () -> lock.tryCallLocked(null, held -> 42));
        expectNull("backend", () -> LockClient.create(null));
        LockClientBuilder builder = LockClient.builder(a.faults);
        expectNull("name", () -> builder.name(null));
        expectNull("options", () -> builder.defaultOptions(null));
        expectNull("listener", () -> builder.listener(null));
        expectNull("executor", () -> builder.callbackExecutor(null));
        expectNull("timeout", () -> builder.requestTimeout(null));
        expectNull("timeout", () -> builder.outageTimeout(null));
        expectNull("timeout", () -> builder.shutdownTimeout(null));
        expectNull("guard", () -> builder.clockGuard(null));
        expectNull("time", () -> builder.passing(1, null));
        expectNull("lease", () -> options().renewedLease(null));
        expectNull("lease", () -> options().fixedLease(null));
        expectNull("time", () -> options().maximumHold(null));
        if (can(Capability.INSPECT)) {
            expectNull("name", () -> a.locks.inspector().inspect(null));
            if (can(Capability.FORCE_RELEASE)) {
                expectNull("name", () -> a.locks.inspector().forceRelease(null));
            }
        }
        expectNothingSent(a);
        LockHandle held = lock.acquire();
        expectNull("listener", () -> held.onLost(null));
        expectHeld(held, "after a null was refused");
        held.close();
    }

    @Test
    void api_30_namesOutOfBoundsAreRefused() {
        Peer a = peer();
        List<String> names = List.of(
                "",
                " ",
                "\t\n",
                "\u2003",
                "x".repeat(1025),
                "\u00e9".repeat(513),
                "\uD83D\uDD12".repeat(257),
                "\uD83D",
                "a\uDD12b",
                "\uDD12\uD83D");
        for (String bad : names) {
            expectRefused("name", () -> a.locks.lock(bad));
            expectRefused("name", () -> a.locks.lock(bad, options()));
            if (a.faults.capabilities().contains(Capability.INSPECT)) {
                expectRefused("name", () -> a.locks.inspector().inspect(bad));
                if (a.faults.capabilities().contains(Capability.FORCE_RELEASE)) {
                    expectRefused("name", () -> a.locks.inspector().forceRelease(bad));
                }
            }
        }
        expectNothingSent(a);
    }

    @Test
    void api_31_slashesAndDotsAreCharactersLikeAnyOther() {
        expectDistinct(
                "a",
                "a/b",
                "/a",
                "a/",
                "/a/",
                "//a",
                "a//b",
                "/",
                "//",
                ".",
                "..",
                "./a",
                "../a",
                "a/.",
                "a/..",
                "a/./b",
                "a/../b",
                "zookeeper",
                "zookeeper/quota",
                "/zookeeper",
                "a%2Fb",
                "a%2fb",
                "a%252Fb",
                "%",
                "%2F",
                "%00",
                "a\\b",
                "A",
                "a.b",
                "a-lock-0000000000",
                "a-lock-");
    }

    @Test
    void api_32_bracesAndColonsAreCharactersLikeAnyOther() {
        expectDistinct(
                "x",
                "{x}",
                "{",
                "}",
                "{}",
                "}{",
                "a}b{c",
                "a{b}c",
                "{a}b",
                "{{x}}",
                ":",
                "x:",
                "x:fence",
                "{x}:fence",
                "{x}:queue",
                "::",
                "x:{y}",
                "*",
                "x*",
                "?",
                "[x]",
                "'x'",
                "\"x\"",
                "$x",
                "x y",
                "x y ",
                " x",
                "x,y",
                "#",
                "%7Bx%7D");
    }

    @Test
    void api_33_controlCharactersAndAllOfUnicodeAreCharactersLikeAnyOther() {
        expectDistinct(
                "\u0000",
                "a\u0000",
                "a\u0000b",
                "\u0001",
                "x\u001f",
                "\u007f",
                "\u0080",
                "\u009f",
                "x\r\ny",
                "x\ny",
                "\u00e9",
                "e\u0301",
                "\uD83D\uDD12",
                "\uD83D\uDD12\uD83D\uDD13",
                "\uE000",
                "\uF8FF",
                "\uFFF0",
                "\uFFFD",
                "\uFFFF",
                "\uFEFFx",
                "\u202Ex",
                "\u212B",
                "\u00C5",
                "\u4E2D\u6587",
                "?",
                "%00",
                "\\u0000");
    }

    @Test
    void api_34_longNamesAreDistinctInTheirLastCharacter() {
        expectDistinct(
                "x".repeat(1024),
                "x".repeat(1023) + "y",
                "x".repeat(1023),
                "/".repeat(1024),
                "/".repeat(1023) + ".",
                "\uD83D\uDD12".repeat(256),
                "\uD83D\uDD12".repeat(255) + "\uD83D\uDD13");
    }

    private void expectDistinct(String... names) {
        Peer a = peer();
        Peer b = peer();
        List<LockHandle> holds = new ArrayList<>();
        for (String each : names) {
            LockHandle held = granted(a.lock(each).tryAcquire(), "granted beside locks of other names: " + show(each));
            expect(held.lockName().equals(each), show(each), show(held.lockName()));
            holds.add(held);
        }
        for (String each : names) {
            expect(b.lock(each).tryAcquire().isEmpty(), "busy for another client: " + show(each), "granted");
        }
        for (LockHandle held : holds) {
            LockHandle.Release outcome = held.release();
            expect(outcome == LockHandle.Release.RELEASED, "RELEASED: " + show(held.lockName()), outcome);
        }
        expectClean("after the release of all names");
        for (String each : names) {
            granted(b.lock(each).tryAcquire(), "free after its release: " + show(each))
                    .release();
        }
        expectClean("after the release of all names");
    }

    private static String show(String text) {
        StringBuilder shown = new StringBuilder("\"");
        text.chars()
                .limit(40)
                .forEach(c -> shown.append(c < 32 || c > 126 ? String.format("\\u%04x", c) : String.valueOf((char) c)));
        return shown.append('"').toString();
    }

    @Test
    void api_35_leasesOutOfBoundsAreRefused() {
        Peer a = peer();
        Duration shortest = a.backend.minimumLease();
        List<Duration> leases = List.of(
                Duration.ZERO,
                Duration.ofSeconds(-1),
                Duration.ofNanos(1),
                Duration.ofNanos(999_000),
                shortest.minusNanos(1),
                Duration.ofHours(24).plusNanos(1),
                Duration.ofMillis(Long.MAX_VALUE),
                TOO_LONG,
                Duration.ofSeconds(Long.MIN_VALUE));
        List<Function<Duration, LockOptions>> kinds =
                List.of(LockOptions.defaults()::renewedLease, LockOptions.defaults()::fixedLease);
        for (Duration bad : leases) {
            for (Function<Duration, LockOptions> kind : kinds) {
                expectRefused("lease", () -> a.locks.lock(name, kind.apply(bad)));
                expectRefused(
                        "lease",
                        () -> LockClient.builder(a.faults)
                                .defaultOptions(kind.apply(bad))
                                .build());
            }
        }
        for (Function<Duration, LockOptions> kind : kinds) {
            Duration longest = Duration.ofHours(24);
            expect(
                    a.locks.lock(name, kind.apply(shortest)).options().lease().equals(shortest),
                    "the shortest lease " + shortest,
                    "another");
            expect(
                    a.locks.lock(name, kind.apply(longest)).options().lease().equals(longest),
                    "the longest lease " + longest,
                    "another");
        }
        expectNothingSent(a);
    }

    @Test
    void api_36_theLongestLeaseIsGranted() throws Exception {
        Peer a = peer();
        LockOptions longest = LockOptions.defaults().renewedLease(Duration.ofHours(24));
        a.locks.lock(name, longest).acquire().close();
        expectFree("after the release");
    }

    @Test
    void api_37_maximumHoldsOutOfBoundsAreRefused() throws Exception {
        expectRefused("time", () -> options().maximumHold(Duration.ZERO));
        expectRefused("time", () -> options().maximumHold(Duration.ofSeconds(-1)));
        Peer a = peer();
        LockHandle held = a.locks.lock(name, options().maximumHold(TOO_LONG)).acquire();
        store.letPass(lease.multipliedBy(2));
        expectHeld(held, "with the longest maximum");
        held.close();
    }

    @Test
    void api_38_whatTheStoreCannotDoIsRefused() {
        Peer a = peer(settings -> {}, faults -> {
            for (Capability capability : Capability.values()) {
                faults.hide(capability);
            }
        });
        expectRefused("fair", () -> a.locks.lock(name, options().fair()));
        expectRefused(
                "fair",
                () -> LockClient.builder(a.faults)
                        .defaultOptions(options().fair())
                        .build());
        thrown(
                UnsupportedOperationException.class,
                "by the inspector of a store that offers none",
                () -> a.locks.inspector().inspect(name));
        expectNothingSent(a);
        Peer b = peer(settings -> {}, faults -> faults.hide(Capability.FORCE_RELEASE));
        thrown(
                UnsupportedOperationException.class,
                "by the inspector of a store that cannot force a release",
                () -> b.locks.inspector().forceRelease(name));
        expectNothingSent(b);
    }

    private void expectNull(String parameter, Executable call) {
        NullPointerException thrown = thrown(NullPointerException.class, "for a null " + parameter, call);
        expect(mentions(thrown, parameter), "a message that names " + parameter, String.valueOf(thrown.getMessage()));
    }

    private void expectRefused(String parameter, Executable call) {
        IllegalArgumentException thrown = thrown(IllegalArgumentException.class, "for a bad " + parameter, call);
        expect(mentions(thrown, parameter), "a message that names " + parameter, String.valueOf(thrown.getMessage()));
    }

    private static boolean mentions(Exception thrown, String parameter) {
        String message = String.valueOf(thrown.getMessage()).toLowerCase(Locale.ROOT);
        return message.contains(parameter.toLowerCase(Locale.ROOT));
    }

    private void expectNothingSent(Peer peer) {
        expect(peer.faults.requests() == 0, "nothing is sent", peer.faults.requests() + " requests");
    }
}
