package io.github.distlock.tests.servers;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.net.DatagramSocket;
import java.net.InetSocketAddress;
import java.net.SocketException;
import org.junit.jupiter.api.Test;

class PortsTest {
    @Test
    void api_aPortThatAnotherJvmHasChosenIsNotChosenAgain() throws SocketException {
        try (DatagramSocket ofAnotherJvm = new DatagramSocket(new InetSocketAddress(Ports.LOOPBACK, 0))) {
            assertFalse(Ports.reserve(ofAnotherJvm.getLocalPort()));
        }
    }

    @Test
    void api_aPortIsChosenOnce() {
        int chosen = Ports.free();

        assertFalse(Ports.reserve(chosen));
        assertTrue(chosen != Ports.free());
    }
}
