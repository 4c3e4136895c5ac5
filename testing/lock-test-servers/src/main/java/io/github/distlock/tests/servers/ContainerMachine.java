package io.github.distlock.tests.servers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.exception.ConflictException;
import com.github.dockerjava.api.exception.InternalServerErrorException;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.exception.NotModifiedException;
import io.github.distlock.tests.waiting.Waiting;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.containers.ContainerLaunchException;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.containers.startupcheck.StartupCheckStrategy;
import org.testcontainers.containers.wait.strategy.AbstractWaitStrategy;
import org.testcontainers.images.builder.Transferable;
import org.testcontainers.utility.DockerImageName;

/**
 * A server in a container. The container stores the data: {@code kill()} and {@code start()} keep them, a new container
 * starts empty.
 *
 * <p>We choose the port of the host, because the Docker engine would choose another one at each start.
 *
 * <p>If this JVM exits, a shutdown hook of Testcontainers removes the container. If this JVM is killed, the helper
 * container Ryuk removes it, unless Ryuk is disabled.
 */
final class ContainerMachine implements Machine {
    private static final Duration END = Duration.ofSeconds(20);
    private static final int ORDERLY_END_SECONDS = 10;

    private final Layout layout;
    private final int port = Ports.free();
    private volatile @Nullable GenericContainer<?> container;

    ContainerMachine(Layout layout) {
        this.layout = layout;
    }

    /**
     * Describes a container.
     *
     * @param image the name of its image
     * @param serverPort the port at which the server listens inside the container
     * @param files the content of each file, by path
     * @param command the command line, or empty for that of the image
     * @param environment the environment variables
     * @param address the address in the {@link ContainerNetwork}, or empty if no other container connects to it
     */
    record Layout(
            String image,
            int serverPort,
            Map<String, String> files,
            List<String> command,
            Map<String, String> environment,
            String address) {}

    /** Does not wait: {@link MachineServer} asks the server itself whether it is ready. */
    private static final class NoWait extends AbstractWaitStrategy {
        @Override
        protected void waitUntilReady() {}
    }

    /**
     * Accepts a container that has ended. Otherwise Testcontainers would remove it, and the server's output with it.
     */
    private static final class NoCheck extends StartupCheckStrategy {
        @Override
        public StartupStatus checkStartupState(DockerClient docker, String id) {
            return StartupStatus.SUCCESSFUL;
        }
    }

    private GenericContainer<?> newContainer() {
        GenericContainer<?> made = new GenericContainer<>(DockerImageName.parse(layout.image()))
                .withEnv(layout.environment())
                .withStartupCheckStrategy(new NoCheck())
                .waitingFor(new NoWait());
        made.setPortBindings(List.of(port + ":" + layout.serverPort()));
        layout.files().forEach((path, content) -> made.withCopyToContainer(Transferable.of(content), path));
        if (!layout.command().isEmpty()) {
            made.setCommand(layout.command().toArray(String[]::new));
        }
        if (!layout.address().isEmpty()) {
            made.withNetwork(ContainerNetwork.shared().network())
                    .withCreateContainerCmdModifier(command -> command.withIpv4Address(layout.address()));
        }
        return made;
    }

    @Override
    public String host() {
        String host = DockerClientFactory.instance().dockerHostIpAddress();
        return host.equals("localhost") ? Ports.LOOPBACK : host;
    }

    @Override
    public int port() {
        return port;
    }

    @Override
    public void start() {
        if (container == null) {
            container = newContainer();
            try {
                container.start();
            } catch (ContainerLaunchException e) {
                remove();
                throw new IllegalStateException(
                        "a container of " + layout.image() + " did not start: "
                                + rootOf(e).getMessage(),
                        e);
            }
        } else {
            docker().startContainerCmd(id()).exec();
        }
    }

    private static Throwable rootOf(Throwable failure) {
        Throwable root = failure;
        while (root.getCause() != null) {
            root = root.getCause();
        }
        return root;
    }

    @Override
    public boolean isRunning() {
        if (container == null || container.getContainerId() == null) {
            return false;
        }
        try {
            return Boolean.TRUE.equals(
                    docker().inspectContainerCmd(id()).exec().getState().getRunning());
        } catch (NotFoundException e) {
            return false;
        }
    }

    @Override
    public void pause() {
        // On a busy machine the kernel gives up at times ("unable to freeze"), and a repeated request succeeds.
        AtomicReference<@Nullable InternalServerErrorException> refusal = new AtomicReference<>();
        boolean paused = Waiting.until(END, () -> {
            try {
                docker().pauseContainerCmd(id()).exec();
                return true;
            } catch (InternalServerErrorException e) {
                refusal.set(e);
                return false;
            }
        });
        if (!paused) {
            throw new IllegalStateException("a container of " + layout.image() + " could not be paused", refusal.get());
        }
    }

    @Override
    public void resume() {
        docker().unpauseContainerCmd(id()).exec();
    }

    @Override
    public void stop() {
        try {
            docker().stopContainerCmd(id()).withTimeout(ORDERLY_END_SECONDS).exec();
        } catch (NotModifiedException e) {
            // The container has already ended.
        }
    }

    @Override
    public void kill() {
        if (!isRunning()) {
            return;
        }
        try {
            docker().killContainerCmd(id()).exec();
        } catch (ConflictException e) {
            // The container has already ended.
        }
        if (!Waiting.until(END, () -> !isRunning())) {
            throw new IllegalStateException("a container of " + layout.image() + " did not end after SIGKILL");
        }
    }

    @Override
    public void eraseData() {
        remove();
    }

    private void remove() {
        if (container != null) {
            container.stop();
            container = null;
        }
    }

    @Override
    public String output() {
        return container == null || container.getContainerId() == null ? "" : container.getLogs();
    }

    @Override
    public void close() {
        remove();
    }

    private DockerClient docker() {
        return started().getDockerClient();
    }

    private String id() {
        return started().getContainerId();
    }

    private GenericContainer<?> started() {
        if (container == null) {
            throw new IllegalStateException("no container of " + layout.image() + " was started");
        }
        return container;
    }
}
