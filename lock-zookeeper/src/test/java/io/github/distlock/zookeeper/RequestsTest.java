package io.github.distlock.zookeeper;

import static io.github.distlock.zookeeper.TestContender.deadline;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.github.distlock.spi.LockClock;
import io.github.distlock.spi.Validity;
import io.github.distlock.tests.PromiseNames;
import io.github.distlock.tests.RecordingContext;
import io.github.distlock.tests.waiting.Waiting;
import io.github.distlock.zookeeper.Session.Created;
import io.github.distlock.zookeeper.Session.Node;
import io.github.distlock.zookeeper.Session.Unchecked;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DisplayNameGeneration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The requests of one session, in both forms, to a real server. */
@DisplayNameGeneration(PromiseNames.class)
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class RequestsTest {
    private static final byte[] NOTHING = new byte[0];
    private static final byte[] DATA = "host=far away\nprocess=8\n".getBytes(StandardCharsets.UTF_8);

    private final ZooKeeper operator = SharedZooKeeper.operator();
    private final String base = SharedZooKeeper.freshPath();
    private final String node = base + "/node";
    private final String missing = base + "/missing";
    private final AtomicLong highest = new AtomicLong();
    private final Sender sender = new Sender(operator);

    /** The requests over a handle, and what the session is worth by them. */
    private final class Sender {
        private final SessionValidity validity =
                new SessionValidity(ZooKeeperFactory.SESSION, new ServerTick(SharedZooKeeper.TICK), null);
        private final Requests requests;

        Sender(ZooKeeper handle) {
            this.requests = new Requests(
                    handle,
                    validity,
                    new TransactionNumbers(highest, new RecordingContext("operator")),
                    LockClock.system());
        }

        boolean isProved() {
            Validity now = validity.validity(
                    ZooKeeperFactory.SESSION.toNanos(), LockClock.system().now());
            return now.length().compareTo(Duration.ofMillis(1)) > 0;
        }
    }

    /** How a request is made. */
    private enum Form {
        SENT {
            @Override
            <T> T ask(Request<T> request) throws KeeperException, InterruptedException {
                Answer<T> answer = new Answer<>("path", request.right(), () -> {}, () -> {});
                request.send(answer);
                return answer.await(deadline());
            }
        },
        CALLED {
            @Override
            <T> T ask(Request<T> request) throws KeeperException, InterruptedException {
                return request.call();
            }
        };

        abstract <T> T ask(Request<T> request) throws KeeperException, InterruptedException;
    }

    @BeforeEach
    void create() throws Exception {
        SharedZooKeeper.createDirectory(base, node);
        operator.setData(node, DATA, -1);
    }

    /** Expects that a request is answered, and proves the session. */
    private <T> T write(Form form, Function<Requests, Request<T>> request) throws Exception {
        Sender fresh = new Sender(operator);
        T answer = form.ask(request.apply(fresh.requests));
        assertThat(fresh.isProved()).isTrue();
        return answer;
    }

    private <T> void expectAnswer(T expected, Form form, Function<Requests, Request<T>> request) throws Exception {
        T answer = write(form, request);

        assertThat((Object) answer).isEqualTo(expected);
    }

    private void expectFailure(Form form, Request<?> request, Code code) {
        assertThatThrownBy(() -> form.ask(request))
                .isInstanceOfSatisfying(
                        KeeperException.class, e -> assertThat(e.code()).isEqualTo(code));
        assertThat(sender.isProved()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s3_aCreationReturnsTheNodeAndNotesItsNumber(Form form) throws Exception {
        Created created = write(
                form,
                requests ->
                        requests.create(node + "/n-", NOTHING, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL_SEQUENTIAL));

        Stat stat = operator.exists(created.path(), false);
        assertThat(created).isEqualTo(Created.of(created.path(), stat));
        assertThat(created.path()).startsWith(node + "/n-");
        assertThat(highest).hasValue(stat.getCzxid());
        operator.delete(created.path(), -1);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s5_aDeletionDeletesAVersion(Form form) throws Exception {
        expectFailure(form, sender.requests.delete(node, 7), Code.BADVERSION);

        expectAnswer(Code.OK, form, requests -> requests.delete(node, 1));

        assertThat(SharedZooKeeper.exists(node)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s5_aDeletionDeletesAnyVersion(Form form) throws Exception {
        expectAnswer(Code.OK, form, requests -> requests.delete(node));

        assertThat(SharedZooKeeper.exists(node)).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s3_aWriteReturnsTheNodeAndNotesItsNumber(Form form) throws Exception {
        expectFailure(form, sender.requests.write(node, DATA, 7), Code.BADVERSION);

        Stat stat = write(form, requests -> requests.write(node, DATA));
        assertThat(stat.getVersion()).isEqualTo(2);
        assertThat(highest).hasValue(stat.getMzxid());
        Stat next = write(form, requests -> requests.write(node, DATA, 2));
        assertThat(next.getVersion()).isEqualTo(3);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s13_theTimeOfTheLeaderIsThatOfATransaction(Form form) throws Exception {
        long before = operator.setData(node, DATA, -1).getMtime();

        long time = write(form, requests -> requests.leaderTime(node + "/_c_time"));

        assertThat(time).isBetween(before, operator.setData(node, DATA, -1).getMtime());
        assertThat(SharedZooKeeper.children(node)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s7_aTransactionReturnsItsFirstRefusedOperation(Form form) throws Exception {
        expectAnswer(Optional.empty(), form, requests -> requests.transaction(Op.check(node, -1), Op.delete(node, -1)));
        assertThat(SharedZooKeeper.exists(node)).isFalse();

        Optional<Unchecked> refused =
                form.ask(sender.requests.transaction(Op.check(base, -1), Op.delete(node, -1), Op.delete(missing, -1)));

        assertThat(refused).hasValue(new Unchecked(node, Code.NONODE, "DELETE on " + base));
        assertThat(sender.isProved()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s7_theRefusalOfAnyOperationIsKnown(Form form) throws Exception {
        assertThat(form.ask(sender.requests.check(missing)))
                .hasValue(new Unchecked(missing, Code.NONODE, "READ on " + missing));
        assertThat(form.ask(sender.requests.transaction(Op.setData(missing, DATA, -1))))
                .hasValue(new Unchecked(missing, Code.NONODE, "WRITE on " + missing));
        assertThat(form.ask(sender.requests.replace(missing, node, DATA, Ids.OPEN_ACL_UNSAFE)))
                .hasValue(new Unchecked(node, Code.NODEEXISTS, "CREATE on " + base));
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s6_aCheckProvesTheSession(Form form) throws Exception {
        expectAnswer(Optional.empty(), form, requests -> requests.check(node));
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s9_aReplacementDeletesTheEarlierNodeAndCreatesTheLater(Form form) throws Exception {
        expectAnswer(Optional.empty(), form, requests -> requests.replace(node, missing, DATA, Ids.OPEN_ACL_UNSAFE));

        assertThat(SharedZooKeeper.exists(node)).isFalse();
        assertThat(operator.getData(missing, false, null)).isEqualTo(DATA);
        operator.delete(missing, -1);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void api_rightsAreTriedWithANodeThatNobodySees(Form form) throws Exception {
        List<ACL> noWrites = List.of(new ACL(Perms.READ | Perms.CREATE | Perms.DELETE, Ids.ANYONE_ID_UNSAFE));
        String tried = node + "/_c_rights";

        expectAnswer(Optional.empty(), form, requests -> requests.tryRights(tried, noWrites, false));
        assertThat(form.ask(sender.requests.tryRights(tried, noWrites, true)))
                .hasValue(new Unchecked(tried, Code.NOAUTH, "WRITE on " + tried));
        assertThat(SharedZooKeeper.children(node)).isEmpty();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s6_readsReturnWhatThereIsAndProveNothing(Form form) throws Exception {
        assertThat(form.ask(sender.requests.children(base))).containsExactly("node");
        Stat stat = operator.exists(node, false);
        assertThat(form.ask(sender.requests.exists(node))).isEqualTo(stat);
        assertThat(form.ask(sender.requests.read(node))).isEqualTo(new Node(OwnerData.read(DATA), stat));
        assertThat(sender.isProved()).isFalse();
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s6_aFailureProvesNothing(Form form) {
        Requests requests = sender.requests;
        String child = missing + "/child";

        for (Request<?> request : List.of(
                requests.create(child, NOTHING, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
                requests.delete(missing),
                requests.write(missing, DATA),
                requests.leaderTime(child),
                requests.children(missing),
                requests.exists(missing),
                requests.read(missing))) {
            expectFailure(form, request, Code.NONODE);
        }
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s7_aRequestOverADeadHandleFails(Form form) throws Exception {
        ZooKeeper dead = new ZooKeeper(SharedZooKeeper.address(), 30_000, event -> {});
        dead.close();
        Requests requests = new Sender(dead).requests;

        expectFailure(form, requests.check(node), Code.SESSIONEXPIRED);
        expectFailure(form, requests.sync(node), Code.SESSIONEXPIRED);
    }

    @ParameterizedTest
    @EnumSource(Form.class)
    void s3_aSynchronizationIsAnswered(Form form) throws Exception {
        Code answer = form.ask(sender.requests.sync(node));

        assertThat(answer).isEqualTo(Code.OK);
    }

    @Test
    void s6_anAnswerThatComesTooLateProvesNothing() throws Exception {
        Requests requests = sender.requests;

        for (Request<?> request : List.of(
                requests.create(missing, NOTHING, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL),
                requests.write(missing, DATA),
                requests.leaderTime(node + "/_c_time"),
                requests.check(missing),
                requests.delete(missing))) {
            Answer<?> late = new Answer<>(missing, request.right(), () -> {}, () -> {});
            late.fail(Code.OPERATIONTIMEOUT);
            send(request, late);
        }
        awaitAnswers();

        assertThat(SharedZooKeeper.exists(missing)).isFalse();
        assertThat(sender.isProved()).isFalse();
    }

    @SuppressWarnings("unchecked")
    private static <T> void send(Request<T> request, Answer<?> answer) {
        request.send((Answer<T>) answer);
    }

    /** The answer comes behind those to earlier requests. */
    private void awaitAnswers() {
        CountDownLatch answered = new CountDownLatch(1);
        operator.sync("/", (code, path, context) -> answered.countDown(), null);
        Waiting.await("the server answers", TestContender.PATIENCE, () -> answered.getCount() == 0);
    }

    @Test
    void s7_aRequestThatIsNotSafeToRepeatIsNotSentAgain() throws Exception {
        assertThatThrownBy(
                        sender.requests.create(missing, NOTHING, Ids.OPEN_ACL_UNSAFE, CreateMode.EPHEMERAL)::callAgain)
                .isInstanceOf(KeeperException.ConnectionLossException.class);
        assertThatThrownBy(sender.requests.write(node, NOTHING)::callAgain)
                .isInstanceOf(KeeperException.ConnectionLossException.class);

        assertThat(SharedZooKeeper.exists(missing)).isFalse();
        assertThat(operator.getData(node, false, null)).isEqualTo(DATA);
    }

    @Test
    void s7_aDeletionThatIsSentAgainFindsThatItIsDone() throws Exception {
        Request<Code> deletion = sender.requests.delete(node);

        assertThat(deletion.callAgain()).isEqualTo(Code.OK);
        assertThat(SharedZooKeeper.exists(node)).isFalse();

        assertThat(deletion.callAgain()).isEqualTo(Code.OK);
    }

    @Test
    void s7_theEndOfAHoldThatIsSentAgainFindsThatItIsDone() throws Exception {
        Request<Optional<Unchecked>> end = sender.requests.end(node, Op.check(base, -1));
        assertThat(sender.requests.end(node, Op.check(missing, -1)).callAgain())
                .as("the other operation was refused")
                .hasValue(new Unchecked(missing, Code.NONODE, "READ on " + missing));

        assertThat(end.callAgain()).isEmpty();
        assertThat(SharedZooKeeper.exists(node)).isFalse();

        assertThat(end.callAgain()).isEmpty();
        assertThat(end.call()).hasValue(new Unchecked(node, Code.NONODE, "DELETE on " + base));
    }

    @Test
    void api_eachRequestSaysWhichRightItNeeds() {
        Requests requests = sender.requests;

        assertThat(requests.create(node, NOTHING, List.of(), CreateMode.EPHEMERAL)
                        .right())
                .isEqualTo("CREATE on " + base);
        assertThat(requests.delete(node).right()).isEqualTo("DELETE on " + base);
        assertThat(requests.write(node, NOTHING).right()).isEqualTo("WRITE on " + node);
        assertThat(requests.leaderTime(node).right()).isEqualTo("CREATE and DELETE on " + base);
        assertThat(requests.read(node).right()).isEqualTo("READ on " + node);
        assertThat(requests.check(node).right()).isEqualTo("READ on " + node);
        assertThat(requests.end(node).right()).isEqualTo("DELETE on " + base);
    }

    @Test
    void api_aCodeThatThisClientDoesNotKnowIsAnErrorOfTheSystem() {
        assertThat(Requests.known(Code.NONODE.intValue())).isEqualTo(Code.NONODE);
        assertThat(Requests.known(4711)).isEqualTo(Code.SYSTEMERROR);
    }
}
