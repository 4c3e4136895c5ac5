package io.github.distlock.tests.servers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.DockerException;
import com.github.dockerjava.api.model.Network.Ipam;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.Network;

/**
 * The network of the containers of this JVM that connect to each other. Each container has an address of its own, which
 * a restart does not change.
 *
 * <p>If Docker chose the addresses, two containers that are killed could exchange theirs. The third member of an
 * ensemble of ZooKeeper would then go on to take one for the other, and one of them would never join.
 */
final class ContainerNetwork {
    private static final int ATTEMPTS = 20;

    private static final class Shared {
        static final ContainerNetwork NETWORK = create();
    }

    private final Network network;
    private final String subnet;
    /** The network itself has the first address. */
    private final AtomicInteger last = new AtomicInteger(1);

    private ContainerNetwork(Network network, String subnet) {
        this.network = network;
        this.subnet = subnet;
    }

    /** Returns the network, and creates it at the first call. */
    static ContainerNetwork shared() {
        return Shared.NETWORK;
    }

    private static ContainerNetwork create() {
        DockerClient docker = DockerClientFactory.instance().client();
        for (int attempt = 1; ; attempt++) {
            try {
                String subnet = freeSubnet(docker);
                Network network = Network.builder()
                        .createNetworkCmdModifier(command ->
                                command.withIpam(new Ipam().withConfig(new Ipam.Config().withSubnet(subnet))))
                        .build();
                network.getId(); // Creates it.
                return new ContainerNetwork(network, subnet);
            } catch (DockerException e) {
                // Another JVM may have taken the subnet.
                if (attempt == ATTEMPTS) {
                    throw e;
                }
            }
        }
    }

    /** Docker accepts addresses of containers only if it has not chosen the subnet. So this asks for one beforehand. */
    private static String freeSubnet(DockerClient docker) {
        String id = docker.createNetworkCmd()
                .withName("distlock-" + System.nanoTime())
                .exec()
                .getId();
        try {
            return docker.inspectNetworkCmd()
                    .withNetworkId(id)
                    .exec()
                    .getIpam()
                    .getConfig()
                    .get(0)
                    .getSubnet();
        } finally {
            docker.removeNetworkCmd(id).exec();
        }
    }

    Network network() {
        return network;
    }

    /** Returns an address that no container of this network has. */
    String newAddress() {
        try {
            byte[] address = InetAddress.getByName(subnet.substring(0, subnet.indexOf('/')))
                    .getAddress();
            ByteBuffer bits = ByteBuffer.wrap(address);
            bits.putInt(0, bits.getInt(0) + last.incrementAndGet());
            return InetAddress.getByAddress(address).getHostAddress();
        } catch (UnknownHostException e) {
            throw new IllegalStateException(subnet + " is no subnet", e);
        }
    }
}
