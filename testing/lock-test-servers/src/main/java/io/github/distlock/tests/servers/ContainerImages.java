package io.github.distlock.tests.servers;

import com.github.dockerjava.api.DockerClient;
import com.github.dockerjava.api.async.ResultCallback;
import com.github.dockerjava.api.exception.NotFoundException;
import com.github.dockerjava.api.model.PullResponseItem;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.testcontainers.DockerClientFactory;
import org.testcontainers.utility.DockerImageName;

/** Pulls images that the Docker engine does not have. */
final class ContainerImages {
    private static final long PULL_SECONDS = 120;

    private ContainerImages() {}

    /** Returns why containers of this image cannot be started, or nothing if they can. */
    static Optional<String> obstacle(String image) {
        if (!DockerClientFactory.instance().isDockerAvailable()) {
            return Optional.of("Testcontainers finds no usable Docker engine");
        }
        DockerClient docker = DockerClientFactory.instance().client();
        return hasImage(docker, image) ? Optional.empty() : pull(docker, image);
    }

    private static boolean hasImage(DockerClient docker, String image) {
        try {
            docker.inspectImageCmd(image).exec();
            return true;
        } catch (NotFoundException e) {
            return false;
        }
    }

    private static Optional<String> pull(DockerClient docker, String image) {
        DockerImageName name = DockerImageName.parse(image);
        String why;
        try (ResultCallback.Adapter<PullResponseItem> pulling = docker.pullImageCmd(name.getUnversionedPart())
                .withTag(name.getVersionPart())
                .exec(new ResultCallback.Adapter<>())) {
            boolean done = pulling.awaitCompletion(PULL_SECONDS, TimeUnit.SECONDS);
            why = done ? "the registry did not deliver it" : "the pull took more than " + PULL_SECONDS + " s";
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            why = "interrupted";
        } catch (Exception e) {
            why = e.getMessage();
        }
        return hasImage(docker, image)
                ? Optional.empty()
                : Optional.of("the Docker engine does not have the image " + image + " and cannot pull it: " + why);
    }
}
