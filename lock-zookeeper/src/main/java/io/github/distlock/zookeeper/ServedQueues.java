package io.github.distlock.zookeeper;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.locks.ReentrantLock;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;

/**
 * How far the queues of one session have been served. If a client uses a lock alone, the number of its next node shows
 * that this node is the first one. Then the client need not look at the queue.
 *
 * <h2>Invariant</h2>
 *
 * If {@link Queue#isFirst} returns true for a node, the directory has no node before it.
 *
 * <h2>Why it is safe</h2>
 *
 * A directory counts all nodes that clients create in it, whether their names have numbers or not. A new numbered node
 * gets the count as its number. Let n be the number of a node of this session that was first, and that the server has
 * deleted. If the session's next node has the number n + 1, no node came between the two. So this node is the first
 * one.
 *
 * <p>A directory that was deleted and created again counts from the beginning. So this holds only if both nodes were
 * created in the same directory. The session watches the directory itself. The server has confirmed this watch before
 * the client sent the creation of the first of the two nodes. The server reports events and answers in the order of
 * their transactions. So if the directory had been deleted in between, the client would have received the event before
 * the answer to the creation of the second node. That answer may overtake the event on its way to {@link
 * Queue#process}. But ZooKeeper's client no longer has a watch whose event it has received. After a lost connection,
 * the client first asks again for its watches. The server then reports a directory that is missing, or was created or
 * changed later than the client knows. So the order of events and answers includes what happened meanwhile.
 *
 * <h2>When it is used</h2>
 *
 * A contender that does not look at once and is not first needs another round trip for its look. So it skips the look
 * only if the session's last two nodes followed each other. A directory that the session uses once costs no request.
 *
 * <p>This is only for the backend's own client, which can {@linkplain DirectClient#isWatched tell} which events it has
 * received. That takes the longer the more nodes it watches. So a client with more than {@value #MOST_WATCHES} holds
 * and waiters always looks.
 *
 * <p>It keeps the {@value #MOST} directories that were used last. Thread-safe.
 */
final class ServedQueues {
    private static final int MOST = 1_000;
    private static final int MOST_WATCHES = 1_000;
    private static final long NONE = -2;

    private final Session session;
    private final ReentrantLock mutex = new ReentrantLock();
    private final Map<String, Queue> byDirectory = new LinkedHashMap<>(16, 0.75f, true) {
        @Override
        protected boolean removeEldestEntry(Map.Entry<String, Queue> eldest) {
            boolean isOneTooMany = size() > MOST;
            if (isOneTooMany) {
                eldest.getValue().drop();
            }
            return isOneTooMany;
        }
    };

    ServedQueues(Session session) {
        this.session = session;
    }

    Queue of(String directory) {
        mutex.lock();
        try {
            return byDirectory.computeIfAbsent(directory, Queue::new);
        } finally {
            mutex.unlock();
        }
    }

    /** The queue of one directory. */
    final class Queue implements Watcher {
        private final String directory;
        private int watches;
        /** Which of the {@link #watches} the server has confirmed, and has not ended, or 0. */
        private int watch;

        private boolean watchIsAsked;
        /** Whether the client may have a watch. It keeps one through the changes of its connection. */
        private boolean mayBeWatched;
        /** The number of the session's last node that was first. */
        private long last = NONE;
        /** The name of that node. Its number alone may belong to another node, of an earlier directory. */
        private String lastName = "";
        /** Under which watch that node was created, or 0. */
        private int lastWatch;

        private boolean lastIsDeleted;
        private boolean lastFollowedAnother;

        private Queue(String directory) {
            this.directory = directory;
        }

        /** Returns the present watch, or 0. Its caller has not sent the creation of its node yet. */
        int watch() {
            mutex.lock();
            try {
                return watch;
            } finally {
                mutex.unlock();
            }
        }

        /** Returns whether the session's next node is probably the first one. */
        boolean expectsFirst() {
            if (session.life().dependents() > MOST_WATCHES) {
                return false;
            }
            mutex.lock();
            try {
                return lastFollowedAnother && lastIsDeleted && watch != 0 && lastWatch == watch;
            } finally {
                mutex.unlock();
            }
        }

        /**
         * Returns whether a new node of this session is certainly the first one.
         *
         * @param under the {@link #watch()} before the client sent the creation of the node
         */
        boolean isFirst(long number, int under) {
            mutex.lock();
            try {
                return lastIsDeleted
                        && number == last + 1
                        && under != 0
                        && under == watch
                        && under == lastWatch
                        && session.isWatched(directory);
            } finally {
                mutex.unlock();
            }
        }

        /** Notes a new node of this session that is the first one. Watches the directory if it followed another. */
        void wasFirst(String name, int under) {
            long number = Sequence.of(name);
            mutex.lock();
            try {
                lastFollowedAnother = number == last + 1;
                last = number;
                lastName = name;
                lastWatch = under == watch ? under : 0;
                lastIsDeleted = false;
                if (lastFollowedAnother && watch == 0 && !watchIsAsked && session.hasOwnClient()) {
                    session.watch(directory, this, (code, data, stat) -> confirmed(code));
                    watchIsAsked = true;
                    mayBeWatched = true;
                }
            } finally {
                mutex.unlock();
            }
        }

        /** Notes that another node is before one of this session. */
        void wasNotFirst() {
            mutex.lock();
            try {
                last = NONE;
                lastName = "";
                lastFollowedAnother = false;
            } finally {
                mutex.unlock();
            }
        }

        /** Notes that the server has deleted a node of this session. */
        void deleted(String name) {
            mutex.lock();
            try {
                lastIsDeleted |= name.equals(lastName);
            } finally {
                mutex.unlock();
            }
        }

        private void confirmed(Code code) {
            mutex.lock();
            try {
                watchIsAsked &= code == Code.OK;
                if (watchIsAsked) {
                    watch = ++watches;
                }
            } finally {
                mutex.unlock();
            }
        }

        /** Ends the watch: the directory was deleted or changed, or the connection has changed. */
        @Override
        public void process(WatchedEvent event) {
            mutex.lock();
            try {
                watch = 0;
                watchIsAsked = false;
            } finally {
                mutex.unlock();
            }
        }

        private void drop() {
            if (mayBeWatched) {
                session.removeWatch(directory, this);
            }
        }
    }
}
