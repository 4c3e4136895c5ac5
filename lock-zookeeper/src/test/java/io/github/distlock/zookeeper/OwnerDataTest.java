package io.github.distlock.zookeeper;

import static org.assertj.core.api.Assertions.assertThat;

import io.github.distlock.LockOwner;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import org.junit.jupiter.api.Test;

class OwnerDataTest {

    @Test
    void api_ownerDataAreReadAsWritten() {
        OwnerData data = new OwnerData(LockOwner.of("höst", 42, "a=b", "pool-1"), Duration.ofSeconds(30));
        assertThat(OwnerData.read(data.write())).isEqualTo(data);
        assertThat(data.isForeign()).isFalse();
    }

    @Test
    void s11_theBaseOfAHoldIsReadAsWritten() {
        OwnerData data = new OwnerData(LockOwner.of("h", 1, "c", "t"), Duration.ofSeconds(30), 1L << 50);
        assertThat(OwnerData.read(data.write()).base()).isEqualTo(1L << 50);
        assertThat(OwnerData.read("base=7".getBytes(StandardCharsets.UTF_8)).base())
                .as("in the data of another program")
                .isZero();
    }

    @Test
    void api_lineBreaksInNamesDoNotAddFields() {
        OwnerData data = new OwnerData(LockOwner.of("h", 1, "c", "evil\nclient=other"), Duration.ofSeconds(1));
        LockOwner read = OwnerData.read(data.write()).owner();
        assertThat(read.client()).isEqualTo("c");
        assertThat(read.thread()).isEqualTo("evil client=other");
    }

    @Test
    void api_dataOfOtherLibrariesAreReadAsHost() {
        OwnerData curators = OwnerData.read("192.168.1.5".getBytes(StandardCharsets.UTF_8));
        assertThat(curators.owner().host()).isEqualTo("192.168.1.5");
        assertThat(curators.sessionTimeout()).isZero();
        assertThat(curators.isForeign()).isTrue();
    }

    @Test
    void api_missingAndInvalidDataAreReadAsUnknown() {
        assertThat(OwnerData.read(null).owner().client()).isEqualTo("unknown");
        assertThat(OwnerData.read(new byte[] {-1, 0, -2}).owner().client()).isEqualTo("unknown");
        byte[] broken = "client=c\nprocess=many\ntimeout=-5".getBytes(StandardCharsets.UTF_8);
        OwnerData data = OwnerData.read(broken);
        assertThat(data.owner().processId()).isZero();
        assertThat(data.sessionTimeout()).isZero();
    }

    @Test
    void s15_theDelayOfACompanionIsReadAsWritten() {
        LockOwner owner = LockOwner.of("h", 1, "c", "t");
        Duration delay = Duration.ofMillis(1_500);
        OwnerData companion = new OwnerData(owner, Duration.ofSeconds(30), 0, Duration.ZERO, delay, "");

        assertThat(OwnerData.read(companion.write())).isEqualTo(companion);
        assertThat(new String(companion.write(), StandardCharsets.UTF_8)).endsWith("\ndelay=1500\n");
    }

    @Test
    void s13_theTimeOfAKeptLockIsReadAsWritten() {
        LockOwner owner = LockOwner.of("h", 1, "c", "t");
        OwnerData kept = new OwnerData(owner, Duration.ofSeconds(30), 0, Duration.ofMillis(1_500));

        assertThat(OwnerData.read(kept.write())).isEqualTo(kept);
        assertThat(new String(new OwnerData(owner, Duration.ofSeconds(30)).write(), StandardCharsets.UTF_8))
                .isEqualTo("host=h\nprocess=1\nclient=c\nthread=t\ntimeout=30000\n");
    }

    @Test
    void api_aNameOfControlCharactersIsOneLine() {
        OwnerData data = new OwnerData(LockOwner.of("h", 1, "c", "\n"), Duration.ofSeconds(1));

        assertThat(OwnerData.read(data.write()).owner().thread()).isEqualTo(" ");
    }
}
