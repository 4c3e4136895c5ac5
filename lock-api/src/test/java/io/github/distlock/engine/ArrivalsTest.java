package io.github.distlock.engine;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The list of the acquires in a queue: the order of V3, whichever of them leaves. */
class ArrivalsTest {
    private final List<Guest> arrived = Stream.generate(Guest::new).limit(4).toList();
    private final Arrivals<Guest> list = new Arrivals<>();

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void v3_theOthersKeepTheirOrderWhenOneLeaves(int leaving) {
        arrived.forEach(list::add);

        list.remove(arrived.get(leaving));

        assertThat(list.stream())
                .containsExactlyElementsOf(arrived.stream()
                        .filter(each -> each != arrived.get(leaving))
                        .toList());
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2, 3})
    void v3_oneThatComesBackIsTheLast(int leaving) {
        arrived.forEach(list::add);

        list.remove(arrived.get(leaving));
        list.add(arrived.get(leaving));

        assertThat(list.stream()).hasSize(4).last().isSameAs(arrived.get(leaving));
    }

    @Test
    void theFirstIsNullOnceAllHaveLeft() {
        arrived.forEach(list::add);

        arrived.forEach(list::remove);

        assertThat(list.first()).isNull();
        assertThat(list.stream()).isEmpty();
    }

    @Test
    void onlyItsOwnListRemovesAMember() {
        Arrivals<Guest> former = new Arrivals<>();
        former.add(arrived.get(0));
        former.remove(arrived.get(0));
        arrived.forEach(list::add);

        former.remove(arrived.get(0));

        assertThat(list.stream()).containsExactlyElementsOf(arrived);
    }

    private static final class Guest extends Arrivals.Member<Guest> {}
}
