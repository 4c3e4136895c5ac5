package io.github.distlock.redis;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.tests.PromiseNames;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;

/** What a grant must exceed, while contenders of one client come and go. */
@DisplayNameGeneration(PromiseNames.class)
class GrantedBasesTest {
    private final GrantedBases all = new GrantedBases();
    private final TakenBases bases = all.enter("orders");

    @Test
    void s3_aNameBeginsWithTheGreatestBaseOfTheClient() {
        assertTrue(bases.take(5, "a"));
        assertEquals(5, all.enter("stock").floor());

        bases.share(7);
        assertEquals(7, all.enter("parts").floor());
    }

    @Test
    void v3_aNameIsKeptUntilItsLastContenderLeaves() {
        var unused = all.enter("orders");
        assertTrue(all.enter("another").take(5, "a"));

        all.leave("orders");
        assertEquals(0, all.enter("orders").floor(), "one contender was left");
        all.leave("orders");
        all.leave("orders");

        assertEquals(5, all.enter("orders").floor(), "none was left");
    }

    @Test
    void s3_aBaseThatIsNotGreaterIsNotTaken() {
        assertTrue(bases.take(9, "a"));

        assertFalse(bases.take(8, "b"));
        assertFalse(bases.take(9, "b"));

        assertEquals(9, bases.floor());
        assertTrue(bases.take(10, "b"));
        assertFalse(bases.take(9, "a"));
    }

    @Test
    void s7_aContenderTakesItsOwnGrantAgain() {
        assertTrue(bases.take(9, "a"));

        assertTrue(bases.take(9, "a"));

        assertFalse(bases.take(9, "b"));
        assertTrue(bases.take(10, "a"), "another base of its hold");
    }

    @Test
    void s11_aWriteGrantExceedsTheBasesOfReaders() {
        assertTrue(bases.take(3, "a"));
        bases.share(9);
        bases.share(8);

        assertFalse(bases.take(8, "b"));
        assertFalse(bases.take(9, "b"));

        assertEquals(9, bases.floor());
        assertEquals(3, bases.handoffFloor(), "readers are served together");
        assertTrue(bases.take(10, "b"));
    }

    @Test
    void s6_aLaterGrantOfAnotherContenderOvertakesAHold() {
        assertTrue(bases.take(9, "a"));

        assertTrue(bases.isOvertaken(8, "b"));

        assertFalse(bases.isOvertaken(9, "b"), "no later grant");
        assertFalse(bases.isOvertaken(8, "a"), "another base of its hold");
    }

    @Test
    void s6_aGrantOfAnotherNameOvertakesNoHold() {
        assertTrue(bases.take(9, "a"));

        assertFalse(all.enter("another").isOvertaken(8, "b"));
    }
}
