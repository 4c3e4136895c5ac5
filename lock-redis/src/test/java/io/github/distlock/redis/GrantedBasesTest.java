package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.github.distlock.tests.PromiseNames;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

/** What a handoff message must exceed, while contenders of one client come and go. */
@DisplayNameGeneration(PromiseNames.class)
class GrantedBasesTest {
    private final GrantedBases bases = new GrantedBases();

    @Test
    void s3_aNameBeginsWithTheGreatestBaseOfTheClient() {
        bases.granted("another", 5);

        bases.enter("orders", 3);
        bases.enter("stock", 7);

        assertEquals(5, bases.floor("orders"));
        assertEquals(7, bases.floor("stock"));
    }

    @Test
    void v3_aNameIsKeptUntilItsLastContenderLeaves() {
        bases.enter("orders", 3);
        bases.enter("orders", 3);
        bases.granted("another", 5);

        bases.leave("orders");
        assertEquals(3, bases.floor("orders"), "one contender is left");
        bases.leave("orders");

        assertEquals(5, bases.floor("orders"), "none is left");
    }

    @Test
    void s3_aSmallerBaseDoesNotLowerTheFloor() {
        bases.enter("orders", 3);
        bases.granted("orders", 9);

        bases.granted("orders", 8);

        assertEquals(9, bases.floor("orders"));
    }
}
