package io.github.distlock.spring;

import static io.github.distlock.spring.StartUpTest.failure;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Spliterator;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import kotlin.sequences.Sequence;
import kotlinx.coroutines.Job;
import kotlinx.coroutines.flow.Flow;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.http.ResponseEntity;
import org.springframework.web.context.request.async.DeferredResult;
import org.springframework.web.context.request.async.WebAsyncTask;
import org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter;
import org.springframework.web.servlet.mvc.method.annotation.SseEmitter;
import org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody;
import reactor.core.publisher.Mono;

/** Results whose work goes on after the call fail at start-up, with the method and the remedy. */
class ResultTypesTest {

    static class Returning<T> {
        @DistributedLocked(key = "k")
        public T run() {
            throw new UnsupportedOperationException();
        }
    }

    static class OfStream extends Returning<Stream<String>> {}

    static class OfIntStream extends Returning<IntStream> {}

    static class OfIterator extends Returning<Iterator<String>> {}

    static class OfSpliterator extends Returning<Spliterator<String>> {}

    static class OfCallable extends Returning<Callable<String>> {}

    static class OfFuture extends Returning<Future<String>> {}

    static class OfSequence extends Returning<Sequence<String>> {}

    static class OfJob extends Returning<Job> {}

    static class OfDeferredResult extends Returning<DeferredResult<String>> {}

    static class OfWebAsyncTask extends Returning<WebAsyncTask<String>> {}

    static class OfResponseBodyEmitter extends Returning<ResponseBodyEmitter> {}

    static class OfSseEmitter extends Returning<SseEmitter> {}

    static class OfStreamingResponseBody extends Returning<StreamingResponseBody> {}

    @ParameterizedTest
    @ValueSource(
            classes = {
                OfStream.class,
                OfIntStream.class,
                OfIterator.class,
                OfSpliterator.class,
                OfCallable.class,
                OfFuture.class,
                OfSequence.class,
                OfJob.class,
                OfDeferredResult.class,
                OfWebAsyncTask.class,
                OfResponseBodyEmitter.class,
                OfSseEmitter.class,
                OfStreamingResponseBody.class
            })
    void aResultWhoseWorkOutlivesTheCall(Class<?> bean) {
        assertThat(failure(bean)).isEqualTo(refusal(bean.getSimpleName().substring("Of".length())));
    }

    static class ListOfCallable extends Returning<List<? extends Callable<String>>> {}

    static class OptionalOfIterator extends Returning<Optional<Iterator<String>>> {}

    static class FutureOfStream extends Returning<CompletableFuture<Stream<String>>> {}

    static class MonoOfSequence extends Returning<Mono<Sequence<String>>> {}

    static class FlowOfJob extends Returning<Flow<Job>> {}

    static class ResponseEntityOfStreamingResponseBody extends Returning<ResponseEntity<StreamingResponseBody>> {}

    @ParameterizedTest
    @ValueSource(
            classes = {
                ListOfCallable.class,
                OptionalOfIterator.class,
                FutureOfStream.class,
                MonoOfSequence.class,
                FlowOfJob.class,
                ResponseEntityOfStreamingResponseBody.class
            })
    void aResultInsideOfAnotherOne(Class<?> bean) {
        assertThat(failure(bean)).isEqualTo(refusal(bean.getSimpleName().replaceFirst(".*Of", "")));
    }

    private static String refusal(String type) {
        return "@DistributedLocked on " + Returning.class.getName() + ".run(): returns " + type
                + ", whose work would go on without the lock after the call;"
                + " return the finished result, a CompletionStage or a publisher";
    }
}
