// The queue of a lock on ZooKeeper: the look at the directory, the deletion of the predecessor as the grant, a lost
// answer to a creation, an earlier session, and another base for a local handoff.
//
// One contender is the one that may believe too much. Its server applies the transactions of the leader in their order,
// as late as it likes, and sends answers and events in that order. The connection breaks at any time, with all that is
// under way. After that, another server reports the missed events in any order. Other contenders create nodes, and
// their nodes are deleted, at any time. A program may delete the contender's node while it waits.
//
// The ensemble may expire the session only when the client does not count it as valid: the model zookeeper-session
// checks that. A client may also give a session up that the ensemble still has. Its node then remains for any time.
//
// In CALM, the faults end at any time, and so do new contenders. V2: then the contender always has a next step until it
// holds the lock, without WaiterCheck. So no wake-up is lost.
//
// S1: while the contender counts as the holder, its node is the first one at the leader, so nobody else holds the lock.
// S3: if another base counts, no node was there that may get the lock with a smaller one. S7: a contender has at most
// one node of a session.
//
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/ZooKeeperContender.java: attempt, ask,
//   answerOfWatch, granted, accepted, busy, withdraw
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/QueueNode.java: sendCreation, find, search,
//   remove, isOfEarlierSession
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/PredecessorWatch.java: send, answered, watchOwn,
//   isGrant, process, ownNodeChanged, connectionChanged
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/LockQueue.java: position, isHolder, watched
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/ZooKeeperGrant.java: sendDeletion, nextBase
//
// Check: QUEUE
// Check: CALM
// Break S1: QUEUE NOT_FIRST: the deletion of a predecessor is a grant that was not the first node
// Break S1: QUEUE NO_OWN_WATCH: the contender does not watch its own node
// Break S1: QUEUE TRUST_AFTER_RECONNECTION: the deletion is a grant after the connection was lost
// Break S1: QUEUE NO_VALIDITY: the deletion is a grant although the session may have expired
// Break S1: QUEUE ADOPT: the contender adopts a node of an earlier session
// Break S3: QUEUE NO_LOOK: another base counts without a look at the directory
// Break S7: QUEUE NO_SYNC: the search after a lost answer asks a server that may be behind
// Break V2: CALM NO_REPORT: a server does not report what the client has missed
// Break S7: QUEUE NO_SEARCH: the contender creates another node after a lost answer

#define NODES 4
#define NONE 0
#define OWN 1      // the contender's node in its session
#define EARLIER 2  // its node of an earlier session
#define FIRST_OF_OTHERS 3

#define CREATES 0  // + node: a transaction
#define DELETES 8  // + node
#define WRITES 16  // the data of the contender's node

// ---- The leader and the contender's server ----

typedef Nodes { byte at[NODES] };
Nodes queue;          // the nodes in their order, at the leader
Nodes seen;           // the same at the server
chan log = [2] of { byte }; // transactions that the server has not applied
byte watched;         // a node that the server watches
bit watchesOwn;
bit sessionLives = 1;
bit changed;          // the directory, since the server has applied the write

// ---- The connection ----

#define LISTED 0      // + the predecessor
#define LISTED_FIRST 8 // + the predecessor, which is the first node
#define MISSING 16    // the contender's node is not in the list
#define WATCHED 17
#define NO_NODE 18
#define PREDECESSOR_DELETED 19
#define OWN_DELETED 20
#define DONE 21
#define REFUSED 22
chan toClient = [3] of { byte };
bit connected = 1;

// ---- The contender ----

#define IDLE 0
#define CREATING 1    // with the look behind it
#define SEARCHING 2
#define LOOKING 3
#define WATCHING 4    // asks for the watch on the predecessor
#define WATCHING_OWN 5
#define SET 6
#define DELETED 7     // the predecessor, so that the next attempt is a grant
#define HOLDS 8
#define WRITING 9     // holds, and asks for another base
#define REMOVING 10
byte state;
bit calm;             // no fault happens any more

// The request to the server: what is sent, and then what is left to do for it.
#define CREATE 1
#define APPLY 2       // the creation, the deletion or the write
#define LOOK 3
#define WATCH 4
#define WATCH_OWN 5
#define SYNC 6
#define DELETE 7
#define WRITE 8
#define STAT 9
byte request;
byte own = OWN;       // the node of the contender that it knows
byte predecessor;
bit wasFirst;
bit unbroken;
bit valid = 1;        // the client counts the session as valid
bit wasAlone;         // at the write
bit S1 = 1, S3 = 1, S7 = 1;

byte i, j, node;      // working variables of a step

#define isHeld (valid && (state == HOLDS || state == WRITING))

inline check() {
  if
  :: isHeld && queue.at[0] != own -> S1 = 0; assert(S1)
  :: else
  fi;
  i = 0; j = 0; node = 0
}

inline find(q, x) {
  i = 0;
  do
  :: i < NODES && q.at[i] != x -> i++
  :: else -> break
  od
}

inline append(q, x) {
  find(q, NONE);
  q.at[i] = x
}

inline cut(q, x) {
  find(q, x);
  do
  :: i < NODES - 1 -> q.at[i] = q.at[i + 1]; i++
  :: i == NODES - 1 -> q.at[i] = NONE; i++
  :: else -> break
  od
}

#define has(q, x) (q.at[0] == x || q.at[1] == x || q.at[2] == x || q.at[3] == x)

inline commit_deletion(x) { cut(queue, x); log ! DELETES + x; check() }

#define mayCommit (len(log) < 2)
#define mayAnswer (connected && len(toClient) < 3)
#define mayExpire (sessionLives && !valid && !calm)

// ---- The ensemble ----

active proctype Ensemble() {
  do
  // The server applies a transaction, and reports it to watches.
  :: d_step { len(log) > 0 && len(toClient) < 3 ->
      log ? node;
      if
      :: node == WRITES -> changed = 0
      :: node < DELETES -> append(seen, node); changed = 1
      :: else ->
        node = node - DELETES;
        cut(seen, node);
        changed = 1;
        if
        :: node == watched && connected -> watched = NONE; toClient ! PREDECESSOR_DELETED
        :: node == OWN && watchesOwn && connected -> watchesOwn = 0; toClient ! OWN_DELETED
        :: else
        fi
      fi;
      i = 0; node = 0 }
  // Other contenders. A number that the contender still knows is not used again.
  :: d_step { !calm && mayCommit && !has(queue, 3) && !has(seen, 3) && predecessor != 3 && watched != 3 &&
        queue.at[3] == NONE ->
      append(queue, 3); log ! CREATES + 3; check() }
  :: d_step { !calm && mayCommit && !has(queue, 4) && !has(seen, 4) && predecessor != 4 && watched != 4 &&
        queue.at[3] == NONE ->
      append(queue, 4); log ! CREATES + 4; check() }
  :: d_step { mayCommit && has(queue, 3) -> commit_deletion(3) }
  :: d_step { mayCommit && has(queue, 4) -> commit_deletion(4) }
  // A program deletes the node of the contender, which waits.
  :: d_step { !calm && mayCommit && has(queue, OWN) && queue.at[0] != OWN -> commit_deletion(OWN) }
  // The ends of the sessions
  :: d_step { mayCommit && mayExpire && has(queue, OWN) -> sessionLives = 0; commit_deletion(OWN) }
  :: d_step { mayExpire && !has(queue, OWN) -> sessionLives = 0 }
  :: d_step { mayCommit && has(queue, EARLIER) -> commit_deletion(EARLIER) }
  od
}

// ---- The server's work for the contender ----

inline send_list() {
  find(seen, own);
  if
  :: i == NODES -> toClient ! MISSING
  :: i == 0 -> toClient ! LISTED
  :: i == 1 -> node = seen.at[0]; toClient ! LISTED_FIRST + node
  :: i > 1 && i < NODES -> node = seen.at[i - 1]; toClient ! LISTED + node
  fi;
  i = 0; node = 0
}

active proctype Server() {
  do
  // A creation may reach the leader after its connection is lost, until the session moves.
  :: d_step { request == CREATE && sessionLives && mayCommit && queue.at[3] == NONE ->
      if
      :: has(queue, OWN) -> S7 = 0; assert(S7)
      :: else
      fi;
      append(queue, OWN);
      log ! CREATES + OWN;
      request = APPLY;
      check() }
  :: d_step { request == APPLY && state == CREATING && connected && len(log) == 0 -> request = LOOK }
  :: d_step { request == LOOK && mayAnswer -> request = NONE; send_list() }
  :: d_step { request == WATCH && mayAnswer ->
      request = NONE;
      if
      :: has(seen, predecessor) -> watched = predecessor; toClient ! WATCHED
      :: else -> toClient ! NO_NODE
      fi }
  :: d_step { request == WATCH_OWN && mayAnswer ->
      request = NONE;
      if
      :: has(seen, OWN) -> watchesOwn = 1; toClient ! WATCHED
      :: else -> toClient ! NO_NODE
      fi }
  // The server catches up with the leader.
#ifdef NO_SYNC
  :: d_step { request == SYNC && connected -> request = LOOK }
#else
  :: d_step { request == SYNC && connected && len(log) == 0 -> request = LOOK }
#endif
  :: d_step { request == DELETE && mayCommit && mayAnswer && has(queue, own) ->
      request = NONE; node = own; cut(queue, node); log ! DELETES + node; toClient ! DONE; check() }
  :: d_step { request == DELETE && mayAnswer && !has(queue, own) -> request = NONE; toClient ! DONE }
  :: d_step { request == WRITE && sessionLives && mayCommit && has(queue, OWN) ->
      wasAlone = (queue.at[1] == NONE); log ! WRITES; request = STAT }
  :: d_step { request == STAT && mayAnswer && len(log) == 0 ->
      request = NONE;
      if
#ifdef NO_LOOK
      :: 1 -> toClient ! DONE
#else
      :: seen.at[1] == NONE && !changed -> toClient ! DONE
#endif
      :: else -> toClient ! REFUSED
      fi;
      changed = 0 }
  od
}

// ---- The contender ----

inline look_again() { state = LOOKING; request = LOOK; predecessor = NONE; wasFirst = 0; unbroken = 0; watched = NONE;
  watchesOwn = 0 }

inline start_watching(first) {
  wasFirst = first; unbroken = 1; state = WATCHING; request = WATCH
}

inline forget_node() { state = IDLE; own = OWN; request = NONE; predecessor = NONE; wasFirst = 0; unbroken = 0;
  watched = NONE; watchesOwn = 0 }

#ifdef NO_VALIDITY
#define isCertain 1
#else
#define isCertain valid
#endif

active proctype Contender() {
  do
  :: d_step { state == IDLE && connected && sessionLives -> state = CREATING; request = CREATE }
  // The answers to looks
  :: d_step { (state == CREATING || state == LOOKING || state == SEARCHING) && toClient ? [LISTED] && valid ->
      toClient ? LISTED; state = HOLDS; check() }
  :: d_step { (state == CREATING || state == LOOKING || state == SEARCHING) && len(toClient) > 0 &&
        !(toClient ? [LISTED]) ->
      toClient ? node;
      if
      :: node == MISSING -> forget_node()
      :: node > LISTED_FIRST && node < MISSING -> predecessor = node - LISTED_FIRST; start_watching(1)
      :: node > LISTED && node < LISTED_FIRST -> predecessor = node; start_watching(0)
      :: else // an event of an earlier watch
      fi;
      node = 0 }
  // The watches
  :: d_step { state == WATCHING && len(toClient) > 0 ->
      toClient ? node;
      if
#ifdef NOT_FIRST
      :: node == WATCHED -> wasFirst = 1; state = WATCHING_OWN; request = WATCH_OWN
#else
      :: node == WATCHED && wasFirst -> state = WATCHING_OWN; request = WATCH_OWN
      :: node == WATCHED && !wasFirst -> state = SET
#endif
      :: node == NO_NODE -> look_again()
      :: else // an event of an earlier watch
      fi;
#ifdef NO_OWN_WATCH
      if
      :: state == WATCHING_OWN -> state = SET; request = NONE
      :: else
      fi;
#endif
      node = 0 }
  :: d_step { state == WATCHING_OWN && len(toClient) > 0 ->
      toClient ? node;
      if
      :: node == WATCHED -> state = SET
      :: else -> look_again()
      fi;
      node = 0 }
  :: d_step { state == SET && len(toClient) > 0 ->
      toClient ? node;
      if
#ifdef TRUST_AFTER_RECONNECTION
      :: node == PREDECESSOR_DELETED && wasFirst -> state = DELETED
#else
      :: node == PREDECESSOR_DELETED && wasFirst && unbroken -> state = DELETED
#endif
      :: else -> look_again()
      fi;
      node = 0 }
  // The attempt
  :: d_step { state == DELETED && isCertain -> valid = isCertain; state = HOLDS; check() }
  :: d_step { state == DELETED && !isCertain -> look_again() }
  // Events that come while the contender holds the lock
  :: d_step { (state == HOLDS || state == DELETED) && len(toClient) > 0 -> toClient ? node; node = 0 }
  // Another base
  :: d_step { !calm && state == HOLDS && connected && valid && own == OWN -> state = WRITING; request = WRITE }
  :: d_step { state == WRITING && len(toClient) > 0 ->
      toClient ? node;
      if
      :: node == DONE && !wasAlone && isHeld -> S3 = 0; assert(S3)
      :: node == DONE || node == REFUSED -> state = HOLDS
      :: else
      fi;
      wasAlone = 0; node = 0 }
  // A release, or a waiter that gives up
  :: d_step { !calm && (state == HOLDS || state == SET || state == DELETED) && connected ->
      state = REMOVING; request = DELETE; predecessor = NONE; wasFirst = 0; unbroken = 0; watched = NONE;
      watchesOwn = 0 }
  :: d_step { state == REMOVING && len(toClient) > 0 ->
      toClient ? node;
      if
      :: node == DONE -> forget_node()
      :: else
      fi;
      node = 0 }
  od
}

// ---- The connection and the session ----

inline disconnect() {
  connected = 0;
  unbroken = 0;
  wasAlone = 0;
  changed = 0;
  do
  :: len(toClient) > 0 -> toClient ? _
  :: else -> break
  od;
  if
  :: state == SET -> watched = predecessor; watchesOwn = wasFirst // the client has heard of no event
  :: state == DELETED -> state = LOOKING
  :: state == WRITING -> state = HOLDS
  :: else
  fi;
  if
  :: request != CREATE -> request = NONE
  :: else
  fi
}

// What the contender sends over the next connection.
inline resume() {
  if
#ifdef NO_SEARCH
  :: state == CREATING -> state = IDLE; request = NONE
#else
  :: state == CREATING || state == SEARCHING -> state = SEARCHING; request = SYNC
#endif
  :: state == LOOKING || state == WATCHING || state == WATCHING_OWN -> look_again()
  :: state == REMOVING -> request = DELETE
  :: else
  fi
}

active proctype Connection() {
  do
  :: d_step { (!calm || !sessionLives) && connected -> disconnect(); node = 0 }
  :: d_step { !connected && sessionLives ->
      connected = 1;
      resume();
#ifndef NO_REPORT
      // The server reports what the client has missed. The worst order has the predecessor first.
      if
      :: watched != NONE && !has(seen, watched) -> watched = NONE; toClient ! PREDECESSOR_DELETED
      :: else
      fi;
      if
      :: watchesOwn && !has(seen, OWN) -> watchesOwn = 0; toClient ! OWN_DELETED
      :: else
      fi;
#endif
      node = 0 }
  // The client hears that its session has expired, and makes another one. Its node is gone.
  :: d_step { !connected && !sessionLives && len(log) < 2 ->
      sessionLives = 1; valid = 1; connected = 1; forget_node() }
  // The client gives a session up. The ensemble keeps its node until that session expires.
  :: d_step { !calm && !connected && sessionLives && !has(queue, EARLIER) && !has(seen, EARLIER) &&
        has(queue, OWN) && len(log) == 0 && own == OWN ->
      find(queue, OWN); queue.at[i] = EARLIER;
      find(seen, OWN); seen.at[i] = EARLIER;
      i = 0;
      valid = 1; connected = 1;
      forget_node();
#ifdef ADOPT
      own = EARLIER;
      state = LOOKING;
      request = LOOK
#else
      own = EARLIER;
      state = REMOVING;
      request = DELETE
#endif
      }
  // The validity of the session ends, and a heartbeat proves it again.
  :: d_step { !calm && valid -> valid = 0 }
#ifdef CALM
  :: d_step { !calm -> calm = 1 }
  :: d_step { calm && state == HOLDS -> skip }
#endif
  :: d_step { !valid && connected && sessionLives -> valid = 1; check() }
  od
}
