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
    private final GrantedBases bases = new GrantedBases();

    @Test
    void s3_aNameBeginsWithTheGreatestBaseOfTheClient() {
        assertTrue(bases.take("another", 5));

        bases.enter("orders", 3);
        bases.enter("stock", 7);

        assertEquals(5, bases.floor("orders"));
        assertEquals(7, bases.floor("stock"));
    }

    @Test
    void v3_aNameIsKeptUntilItsLastContenderLeaves() {
        bases.enter("orders", 3);
        bases.enter("orders", 3);
        assertTrue(bases.take("another", 5));

        bases.leave("orders");
        assertEquals(3, bases.floor("orders"), "one contender is left");
        bases.leave("orders");

        assertEquals(5, bases.floor("orders"), "none is left");
    }

    @Test
    void s3_aBaseThatIsNotGreaterIsNotTaken() {
        bases.enter("orders", 3);

        assertFalse(bases.take("orders", 3));
        assertTrue(bases.take("orders", 9));
        assertFalse(bases.take("orders", 8));

        assertEquals(9, bases.floor("orders"));
    }

    @Test
    void s11_aWriteGrantExceedsTheBasesOfReaders() {
        bases.enter("orders", 3);
        bases.takeRead("orders", 9);

        assertFalse(bases.take("orders", 8));
        assertEquals(3, bases.sharedFloor("orders"), "readers are served together");
        assertEquals(9, bases.floor("orders"));
        assertTrue(bases.take("orders", 10));
    }
}
