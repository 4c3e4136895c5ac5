package io.github.distlock.zookeeper;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.github.distlock.fencing.FencingToken;
import io.github.distlock.fencing.StaleTokenException;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.servers.Fault;
import io.github.distlock.tests.servers.FaultProxy;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.OptionalLong;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.api.transaction.CuratorOp;
import org.apache.curator.framework.api.transaction.TypeAndPath;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.BadVersionException;
import org.apache.zookeeper.KeeperException.ConnectionLossException;
import org.apache.zookeeper.KeeperException.NoNodeException;
import org.apache.zookeeper.KeeperException.NodeExistsException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Transactions that are committed only with a current token, on a real server. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ZooKeeperFenceTest {
    /** A token has the base of a grant, and the number of a local handoff. */
    private static final long TOKEN = (1L << 53) << 8;

    private final String base = SharedZooKeeper.freshPath();
    private final String account = base + "/account";
    private final String path = base + "/fences/account";
    private final CuratorFramework curator = started(SharedZooKeeper.address());
    private final ZooKeeperFence fence = new ZooKeeperFence(curator);

    private static CuratorFramework started(String address) {
        CuratorFramework made = CuratorFrameworkFactory.newClient(address, new RetryNTimes(100, 100));
        made.start();
        return made;
    }

    @BeforeEach
    void createAccount() throws Exception {
        var unused = curator.create().creatingParentsIfNeeded().forPath(account, "100".getBytes(UTF_8));
    }

    @AfterEach
    void close() {
        curator.close();
    }

    private CuratorOp writing(String balance) throws Exception {
        return curator.transactionOp().setData().forPath(account, balance.getBytes(UTF_8));
    }

    private void write(long token, String balance) throws Exception {
        fence.commit(path, token, List.of(writing(balance)));
    }

    private String read(String node) throws Exception {
        return new String(curator.getData().forPath(node), UTF_8);
    }

    private int version(String node) throws Exception {
        return curator.checkExists().forPath(node).getVersion();
    }

    private boolean exists(String node) throws Exception {
        return curator.checkExists().forPath(node) != null;
    }

    /** A write with this token is refused, and changes nothing. */
    private void expectStale(long token, long highest) throws Exception {
        String balance = read(account);

        StaleTokenException refusal = assertThrows(StaleTokenException.class, () -> write(token, "late"));

        assertEquals(path, refusal.resource());
        assertEquals(token, refusal.token());
        assertEquals(OptionalLong.of(highest), refusal.highest());
        assertEquals(balance, read(account));
        assertEquals(FencingToken.toText(highest), read(path));
    }

    @Test
    void s3_aGreaterOrEqualTokenPassesAndASmallerOneIsRefused() throws Exception {
        write(5, "90");
        write(7, "80");
        write(7, "70");

        expectStale(6, 7);
        expectStale(5, 7);

        assertEquals("70", read(account));
        write(8, "60");
        assertEquals("60", read(account));
    }

    @ParameterizedTest
    @ValueSource(longs = {9, 99, (1L << 53) + 1, TOKEN, Long.MAX_VALUE - 1})
    void s3_neighboringTokensAreOrderedHoweverLongTheyAre(long token) throws Exception {
        write(token + 1, "80");

        expectStale(token, token + 1);
    }

    @Test
    void s3_anEqualTokenDoesNotWriteTheFence() throws Exception {
        write(7, "80");
        int written = version(path);

        write(7, "70");

        assertEquals("70", read(account));
        assertEquals(written, version(path));
    }

    @Test
    void s3_fencesAreIndependent() throws Exception {
        write(7, "80");

        fence.commit(path + "-other", 5, List.of(writing("70")));

        assertEquals("70", read(account));
    }

    @Test
    void s3_writesOfConcurrentWritersAreInTheOrderOfTheirTokens() throws Exception {
        AtomicLong tokens = new AtomicLong(TOKEN);
        AtomicLong refused = new AtomicLong();
        List<CompletableFuture<Void>> writers = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            writers.add(CompletableFuture.runAsync(() -> {
                for (int j = 0; j < 25; j++) {
                    long early = tokens.incrementAndGet();
                    long late = tokens.incrementAndGet();
                    for (long token : new long[] {late, early}) {
                        if (!commits(token)) {
                            refused.incrementAndGet();
                        }
                    }
                }
            }));
        }

        writers.forEach(CompletableFuture::join);

        List<String> accepted = new ArrayList<>();
        for (String node : SharedZooKeeper.children(account).stream().sorted().toList()) {
            accepted.add(read(account + "/" + node));
        }
        List<String> ordered = new ArrayList<>(accepted);
        Collections.sort(ordered);
        assertEquals(ordered, accepted);
        assertEquals(200, accepted.size() + refused.get());
        assertTrue(refused.get() >= 100, "an early token was accepted after the late one");
    }

    /** Appends the token to the account. */
    private boolean commits(long token) {
        try {
            CuratorOp append = curator.transactionOp()
                    .create()
                    .withMode(CreateMode.PERSISTENT_SEQUENTIAL)
                    .forPath(account + "/write-", FencingToken.toText(token).getBytes(UTF_8));
            fence.commit(path, token, List.of(append));
            return true;
        } catch (StaleTokenException e) {
            return false;
        } catch (Exception e) {
            throw new CompletionException(e);
        }
    }

    // Another client changes the fence between the read and the transaction

    /** Makes an operation for which the fence asks after it has read its node. Something else happens then, once. */
    private static CuratorOp after(Callable<?> event, CuratorOp operation) {
        AtomicBoolean happened = new AtomicBoolean();
        return new CuratorOp() {
            @Override
            public TypeAndPath getTypeAndPath() {
                return operation.getTypeAndPath();
            }

            @Override
            public Op get() {
                if (happened.compareAndSet(false, true)) {
                    try {
                        var unused = event.call();
                    } catch (Exception e) {
                        throw new IllegalStateException(e);
                    }
                }
                return operation.get();
            }
        };
    }

    private void writeAfter(Callable<?> event, long token, String balance) throws Exception {
        fence.commit(path, token, List.of(after(event, writing(balance))));
    }

    private Callable<?> another(long token, String balance) {
        return () -> fence.commit(path, token, List.of(writing(balance)));
    }

    @ParameterizedTest
    @ValueSource(longs = {5, 7})
    void s3_aGreaterTokenThatIsCommittedMeanwhileRefusesTheTransaction(long earlier) throws Exception {
        write(earlier, "90");

        assertThrows(StaleTokenException.class, () -> writeAfter(another(8, "80"), 7, "late"));

        assertEquals("80", read(account));
        assertEquals(FencingToken.toText(8), read(path));
    }

    @Test
    void s3_aGreaterTokenThatIsTheFirstMeanwhileRefusesTheTransaction() throws Exception {
        assertThrows(StaleTokenException.class, () -> writeAfter(another(8, "80"), 7, "late"));

        assertEquals("80", read(account));
    }

    @Test
    void s3_aSmallerTokenThatIsCommittedMeanwhileDoesNotRefuseTheTransaction() throws Exception {
        writeAfter(another(5, "90"), 7, "80");
        assertEquals("80", read(account));

        writeAfter(another(8, "70"), 9, "60");
        assertEquals("60", read(account));
        expectStale(8, 9);
    }

    @Test
    void s3_aFenceThatIsDeletedMeanwhileIsCreatedAgain() throws Exception {
        write(7, "80");

        writeAfter(() -> curator.delete().forPath(path), 7, "70");

        assertEquals("70", read(account));
        expectStale(6, 7);
    }

    // Errors

    @Test
    void s3_anOperationThatFailsSurfacesAndLeavesTheFormerToken() throws Exception {
        write(5, "90");
        CuratorOp outdated = curator.transactionOp().setData().withVersion(100).forPath(account, "80".getBytes(UTF_8));
        CuratorOp existing = curator.transactionOp().create().forPath(account);
        CuratorOp missing = curator.transactionOp().delete().forPath(account + "/missing");

        BadVersionException failure =
                assertThrows(BadVersionException.class, () -> fence.commit(path, 7, List.of(writing("80"), outdated)));
        assertThrows(NodeExistsException.class, () -> fence.commit(path, 7, List.of(writing("80"), existing)));
        assertThrows(NoNodeException.class, () -> fence.commit(path, 7, List.of(writing("80"), missing)));

        assertInstanceOf(OpResult.ErrorResult.class, failure.getResults().get(2));
        assertEquals("90", read(account));
        assertEquals(FencingToken.toText(5), read(path));
        write(6, "85");
    }

    @Test
    void s3_aFirstTransactionThatFailsLeavesNoFence() throws Exception {
        CuratorOp existing = curator.transactionOp().create().forPath(account);

        assertThrows(NodeExistsException.class, () -> fence.commit(path, 7, List.of(existing)));

        assertFalse(exists(path));
        write(6, "80");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "text", "-7"})
    void s3_aFenceWithoutATokenRefusesEachTransaction(String data) throws Exception {
        var unused = curator.create().creatingParentsIfNeeded().forPath(path, data.getBytes(UTF_8));

        IllegalStateException refusal = assertThrows(IllegalStateException.class, () -> write(7, "80"));

        assertTrue(refusal.getMessage().contains(path), refusal.getMessage());
        assertEquals("100", read(account));
        assertEquals(data, read(path));
    }

    @Test
    void s3_aFenceBelowAMissingChrootIsAnError() {
        try (CuratorFramework elsewhere = started(SharedZooKeeper.address() + base + "/missing")) {
            assertThrows(NoNodeException.class, () -> new ZooKeeperFence(elsewhere).commit("/fence", 7, List.of()));
        }
    }

    // Faults

    @Test
    void s3_aTransactionWithoutAnAnswerIsAnErrorAndIsNotRepeated() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(SharedZooKeeper.server());
                CuratorFramework disturbed = started(proxy.address())) {
            ZooKeeperFence same = new ZooKeeperFence(disturbed);
            CuratorOp deposit = disturbed
                    .transactionOp()
                    .create()
                    .withMode(CreateMode.PERSISTENT_SEQUENTIAL)
                    .forPath(account + "/deposit-");
            Fault lost = proxy.dropNextReply(FaultProxy.containing("/deposit-"), FaultProxy.Then.CUT);

            assertThrows(ConnectionLossException.class, () -> same.commit(path, 7, List.of(deposit)));

            assertTrue(lost.hasStruck());
            assertEquals(1, SharedZooKeeper.children(account).size());
            expectStale(6, 7);
            same.commit(path, 7, List.of(deposit));
            assertEquals(2, SharedZooKeeper.children(account).size());
        }
    }

    @Test
    void s3_aTransactionThatIsLostIsAnErrorAndChangesNothing() throws Exception {
        try (FaultProxy proxy = FaultProxy.to(SharedZooKeeper.server());
                CuratorFramework disturbed = started(proxy.address())) {
            Fault lost = proxy.dropNextRequest(FaultProxy.containing(account), FaultProxy.Then.CUT);

            assertThrows(
                    ConnectionLossException.class,
                    () -> new ZooKeeperFence(disturbed).commit(path, 7, List.of(writing("80"))));

            assertTrue(lost.hasStruck());
            assertEquals("100", read(account));
            assertFalse(exists(path));
        }
    }

    // Arguments and results

    @Test
    void api_theResultsAreThoseOfTheOperations() throws Exception {
        CuratorOp deposit = curator.transactionOp()
                .create()
                .withMode(CreateMode.PERSISTENT_SEQUENTIAL)
                .forPath(account + "/deposit-");

        List<OpResult> results = fence.commit(path, 7, List.of(deposit, writing("80")));

        assertEquals(2, results.size());
        OpResult.CreateResult created = assertInstanceOf(OpResult.CreateResult.class, results.get(0));
        assertTrue(exists(created.getPath()), created.getPath());
        OpResult.SetDataResult set = assertInstanceOf(OpResult.SetDataResult.class, results.get(1));
        assertEquals(version(account), set.getStat().getVersion());
    }

    @Test
    void api_aTransactionWithoutOperationsStoresItsToken() throws Exception {
        assertEquals(List.of(), fence.commit(path, 7, List.of()));

        expectStale(6, 7);
    }

    @Test
    void api_pathsAreInTheNamespaceOfTheClient() throws Exception {
        CuratorFramework below = curator.usingNamespace(base.substring(1));
        CuratorOp write = below.transactionOp().setData().forPath("/account", "80".getBytes(UTF_8));

        new ZooKeeperFence(below).commit("/fences/account", 7, List.of(write));

        assertEquals("80", read(account));
        expectStale(6, 7);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, -1, Long.MIN_VALUE})
    void api_aTokenIsPositive(long token) {
        IllegalArgumentException refusal = assertThrows(IllegalArgumentException.class, () -> write(token, "80"));

        assertEquals("token must be positive, but was " + token, refusal.getMessage());
    }

    @Test
    void api_aPathIsAbsolute() {
        assertThrows(IllegalArgumentException.class, () -> fence.commit("fence", 7, List.of()));
    }
}
