package io.github.distlock.tests;

import io.github.distlock.LockHandle;
import io.github.distlock.LockOptions;
import io.github.distlock.spi.Attempt;
import io.github.distlock.spi.Contender;
import io.github.distlock.spi.Deadline;
import io.github.distlock.spi.Grant;
import io.github.distlock.spi.LockBackend;
import io.github.distlock.spi.Moment;
import io.github.distlock.spi.Renewal;
import io.github.distlock.spi.Validity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Rules of the API about names and leases: every store takes all that the engine lets pass. */
abstract class InputRules extends Rules {

    @Test
    void api_31_slashesAndDotsAreCharactersLikeAnyOther() {
        expectDistinct("a a/b /a a/ /a/ //a a//b / // . .. ./a ../a a/. a/.. a/./b a/../b A a.b a\\b"
                + " a%2Fb a%2fb a%252Fb % %2F %00 zookeeper zookeeper/quota /zookeeper a-lock-0000000000 a-lock-");
    }

    @Test
    void api_32_bracesAndColonsAreCharactersLikeAnyOther() {
        expectDistinct("x {x} { } {} }{ a}b{c a{b}c {a}b {{x}} : x: x:fence {x}:fence {x}:queue :: x:{y}"
                + " * x* ? [x] 'x' \"x\" $x x_y x_y_ _x x,y # %7Bx%7D");
    }

    @Test
    void api_33_controlCharactersAndAllOfUnicodeAreCharactersLikeAnyOther() {
        expectDistinct("\u0000 a\u0000 a\u0000b \u0001 x\u001f \u007f \u0080 \u009f x\r\ny x\ny \u00e9 e\u0301"
                + " \uD83D\uDD12 \uD83D\uDD12\uD83D\uDD13 \uE000 \uF8FF \uFFF0 \uFFFD \uFFFF \uFEFFx \u202Ex \u212B"
                + " \u00C5 \u4E2D\u6587 ? %00 \\u0000");
    }

    @Test
    void api_34_longNamesAreDistinctInTheirLastCharacter() {
        expectDistinct(Stream.of(
                        "x".repeat(1024),
                        "x".repeat(1023) + "y",
                        "x".repeat(1023),
                        "/".repeat(1024),
                        "/".repeat(1023) + ".",
                        "\uD83D\uDD12".repeat(256),
                        "\uD83D\uDD12".repeat(255) + "\uD83D\uDD13")
                .toList());
    }

    @Test
    void api_43_anObjectOfAnotherBackendIsAnError() {
        LockBackend backend = peer().backend;
        Foreign foreign = new Foreign();

        boolean renews = accepts(() -> backend.renewAll(List.of(foreign), deadline(backend)));
        boolean keepsAlive = !backend.heartbeatInterval().isZero()
                && accepts(() -> backend.heartbeat(List.of(foreign), deadline(backend)));

        expect(!renews, "an error of renewAll", "it has returned");
        expect(!keepsAlive, "an error of heartbeat", "it has returned");
        expect(foreign.answers == 0, "no answer about a hold that the backend does not know", foreign.answers);
    }

    private static Deadline deadline(LockBackend backend) {
        return Deadline.after(Duration.ofSeconds(1), backend.clock());
    }

    private interface Request {
        void send() throws InterruptedException;
    }

    private static boolean accepts(Request request) {
        try {
            request.send();
            return true;
        } catch (InterruptedException | RuntimeException e) {
            return false;
        }
    }

    /** A contender of no store, with the grant that it won and its renewal. */
    private static final class Foreign implements Contender, Grant, Renewal {
        private int answers;

        @Override
        public Attempt attempt(Deadline deadline) {
            return Attempt.granted(this);
        }

        @Override
        public void withdraw(Deadline deadline) {}

        @Override
        public Object server() {
            return "";
        }

        @Override
        public long fencingBase() {
            return 1;
        }

        @Override
        public Validity validity() {
            return Validity.of(new Moment(0, 0), lease());
        }

        @Override
        public Release release(Deadline deadline) {
            return Release.GONE;
        }

        @Override
        public Release keep(Duration time, Deadline deadline) {
            return Release.GONE;
        }

        @Override
        public Grant grant() {
            return this;
        }

        @Override
        public Duration lease() {
            return Duration.ofSeconds(10);
        }

        @Override
        public void renewed(Validity validity) {
            answers++;
        }

        @Override
        public void gone() {
            answers++;
        }

        @Override
        public void unknown(Throwable cause) {}
    }

    /** Expects it of all names in a text, which stand between blanks, with {@code _} for each blank of their own. */
    private void expectDistinct(String names) {
        expectDistinct(Stream.of(names.split(" ", -1))
                .map(each -> each.replace('_', ' '))
                .toList());
    }

    private void expectDistinct(List<String> names) {
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
            expectRelease(held, LockHandle.Release.RELEASED, show(held.lockName()));
        }
        expectClean("after the release of all names");
        for (String each : names) {
            granted(b.lock(each).tryAcquire(), "free after its release: " + show(each))
                    .release();
        }
        expectClean("after the second release of all names");
    }

    private static String show(String text) {
        StringBuilder shown = new StringBuilder("\"");
        text.chars()
                .limit(40)
                .forEach(c -> shown.append(c < 32 || c > 126 ? String.format("\\u%04x", c) : String.valueOf((char) c)));
        return shown.append('"').toString();
    }

    @Test
    void api_36_theLongestLeaseIsGranted() {
        Peer a = peer();
        LockOptions longest = LockOptions.defaults().renewedLease(a.backend.maximumLease());

        LockHandle held = acquire(a.locks.lock(name, longest));

        held.close();
        expectFree("after the release");
    }
}
