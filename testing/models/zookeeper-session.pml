// How a client of ZooKeeper proves that its session lives.
//
// The leader alone expires sessions. A follower notes each request as a touch, and reports its touches in its replies
// to the leader's pings. Leader, follower and client stand still for any time. Their connections keep the order of
// messages, and break at any time with all that is under way. While the follower is cut off, the client does not know
// it. Then the client moves its session to another connection. Another leader may be elected at any time, while the
// former one still answers what needs no quorum.
//
// The client sends one request after the other. Of all its requests, only those count that prove something: a, b, c and
// the write w. Others would only cause more pings and touches. The client may begin with another a at any time.
//
// CHAIN is the run with a, b, c and w. LOST is the run about requests that fail with their connection, and the write
// that follows.
//
// The unit of time is half a tick: the time between two pings. Times are differences, so time has no bound.
//
// S6: the ensemble does not expire the session while the client counts it as valid. Two assumptions are not modelled:
// those of SessionValidity about the first writes of a session that the client does not know from its beginning, and
// about servers with different limits.
//
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/SessionValidity.java: answered, acknowledged,
//   lostWithConnection, prove, validity
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/Session.java: keepAlive, check
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/KeepAlive.java: send
// Stands for lock-zookeeper/src/main/java/io/github/distlock/zookeeper/Heartbeat.java: send
//
// Check: CHAIN
// Check: LOST
// Break S6: CHAIN FROM_ANSWER: the validity begins with the answer to a
// Break S6: CHAIN SINGLE_WRITE: a write proves the session from its own sending on
// Break S6: CHAIN NO_TICK_BETWEEN: b may be sent right after the answer to a
// Break S6: CHAIN NO_B: the write needs only two earlier requests
// Break S6: CHAIN ANSWERS_OF_FOLLOWER: answers count that the leader has not given, as for pings and reads
// Break S6: CHAIN SYNC_PROVES: the last request may be one that needs no quorum
// Break S6: LOST LOST_WITHOUT_MOVE: a request that is late counts like one that has failed with its connection
// Break S6: CHAIN NO_ALLOWANCE: the validity ends with the session timeout, by a clock that has lost some time

#ifndef TIMEOUT
#define TIMEOUT 5  // half ticks
#endif
#ifdef NO_TICK_BETWEEN
#define TICK 0
#else
#define TICK 2
#endif
#ifdef NO_ALLOWANCE
#define ALLOWANCE 0
#else
#define ALLOWANCE 1
#endif

// ---- The leader, and its connection with the follower ----

#define PING 1
#define ANSWER 2
#define REPLY 3
#define REPLY_WITH_TOUCH 4
#define REQUEST 5
#define MOVE 6

chan toFollower = [3] of { byte };
chan toLeader = [3] of { byte };
bit linked = 1;
byte timer = TIMEOUT; // of the session
bit expired;
bit due;         // a ping
bit passed;      // the leader has answered a request since the ping was due
bit deposed;     // the follower is connected to a former leader

// ---- The follower, and its connection with the client ----

bit received;    // the request of the client is on its way to the follower
bit touched;
bit answering;   // the answer is on its way to the client
bit moving;      // the client waits until the session has moved

// ---- The client ----

// Even: the client has the answer to a (2), b (4), or c (6). Odd: it waits for that to a (1), b (3), c (5) or w (7).
byte stage;
byte age;        // since a was sent
byte since;      // since the answer to a
byte requestAge;
bit hasLost;     // a request has failed with its connection, and the session has moved since
byte lostAge;
byte left;       // of the validity
bit slow;        // the client's clock has lost some time
bit S6 = 1;

#define waiting (stage % 2)
#define most(x, y) (x >= y -> x : y)
#define length(x) (x + ALLOWANCE < TIMEOUT -> TIMEOUT - ALLOWANCE - x : 0)

inline forget_request() { received = 0; answering = 0; requestAge = 0 }

inline answered() {
  if
  :: stage == 1 -> stage = 2; since = 0;
#ifdef FROM_ANSWER
    age = 0
#endif
  :: stage == 3 -> stage = 4
  :: stage == 5 -> stage = 6
  :: stage == 7 ->
    left = most(left, length(age));
    if
    :: hasLost -> left = most(left, length(lostAge))
    :: else
    fi;
#ifdef SINGLE_WRITE
    left = most(left, length(requestAge));
#endif
    stage = 0; age = 0; since = 0; hasLost = 0; lostAge = 0
  :: else // to a request that the client has given up
  fi;
  forget_request()
}

proctype Client() {
  do
  :: d_step { answering -> answered() }
  :: d_step { !moving && stage == 0 -> stage = 1; age = 0; received = 1 }
#ifdef CHAIN
  :: d_step { !moving && stage == 2 && since >= TICK -> stage = 3; received = 1
#ifdef NO_B
      ; stage = 5
#endif
      }
  :: d_step { !moving && stage == 4 -> stage = 5; received = 1 }
  :: d_step { !moving && stage == 6 -> stage = 7; received = 1 }
#ifdef ANSWERS_OF_FOLLOWER
  :: d_step { received && stage != 7 -> touched = 1; answered() }
#endif
#endif
  // Begins with another a.
  :: d_step { !waiting && stage > 0 -> stage = 0; age = 0; since = 0 }
#ifdef LOST
  // The client has heard that a request has failed with its connection, and sends w.
  :: d_step { !moving && hasLost && !waiting -> stage = 7; age = TIMEOUT; since = 0; received = 1 }
#ifdef LOST_WITHOUT_MOVE
  :: d_step { stage == 1 && !hasLost -> hasLost = 1; lostAge = requestAge; stage = 0; age = 0; forget_request() }
#endif
#endif
  // The connection breaks, and the client makes another one.
  :: d_step { !moving ->
      if
      :: waiting ->
        stage = stage - 1;
#ifdef LOST
        stage = 0;
        hasLost = 1;
        lostAge = requestAge
#endif
      :: else
      fi;
      if
      :: stage == 0 -> age = 0; since = 0
      :: else
      fi;
      forget_request();
      do
      :: len(toFollower) > 0 -> toFollower ? _
      :: else -> break
      od;
      do
      :: len(toLeader) > 0 -> toLeader ? _
      :: else -> break
      od;
      touched = 0;
      linked = 1;
      deposed = 0;
      moving = 1;
      toLeader ! MOVE }
  od
}

proctype Follower() {
  do
  // Notes the touch before it passes the request on.
  :: d_step { received && linked && len(toLeader) < 3 -> received = 0; touched = 1; toLeader ! REQUEST }
  :: d_step { linked && len(toLeader) < 3 && toFollower ? [PING] ->
      toFollower ? PING;
      if
      :: touched -> toLeader ! REPLY_WITH_TOUCH; touched = 0
      :: else -> toLeader ! REPLY
      fi }
  :: d_step { linked && toFollower ? [ANSWER] ->
      toFollower ? ANSWER;
      if
      :: moving -> moving = 0
      :: else -> answering = 1
      fi }
  // Its link breaks. It accepts requests that nobody answers.
  :: d_step { linked && !moving ->
      do
      :: len(toFollower) > 0 -> toFollower ? _
      :: else -> break
      od;
      do
      :: len(toLeader) > 0 -> toLeader ? _
      :: else -> break
      od;
      linked = 0 }
  od
}

// The leader sends an overdue ping before it answers a second request.
#define mayAnswer (len(toFollower) < 3 && !(due && passed))

#ifdef SYNC_PROVES
#define needsQuorum 0
#else
#define needsQuorum (stage == 7)
#endif

proctype Leader() {
  do
  // Two pings in a row have the effect of one.
  :: d_step { due && linked && len(toFollower) < 3 -> due = 0; passed = 0; toFollower ! PING }
  :: d_step { due && !linked -> due = 0; passed = 0 }
  :: d_step { toLeader ? [REPLY] -> toLeader ? REPLY }
  :: d_step { toLeader ? [REPLY_WITH_TOUCH] ->
      toLeader ? REPLY_WITH_TOUCH;
      if
      :: !expired && !deposed -> timer = TIMEOUT
      :: else
      fi }
  :: d_step { toLeader ? [REQUEST] && mayAnswer ->
      toLeader ? REQUEST;
      passed = due;
      if
      :: (deposed && !needsQuorum) || (!deposed && !expired) -> toFollower ! ANSWER
      :: else
      fi }
  :: d_step { toLeader ? [MOVE] && mayAnswer ->
      toLeader ? MOVE;
      if
      :: !expired -> timer = TIMEOUT; toFollower ! ANSWER
      :: else
      fi }
  // The leader that is in office expires the session.
  :: d_step { timer == 0 && !expired ->
      expired = 1;
      if
      :: left > 0 -> S6 = 0; assert(S6)
      :: else
      fi }
  // Another leader is elected, and restarts all timers.
  :: d_step { !deposed && linked && !moving -> deposed = 1; timer = TIMEOUT }
  od
}

inline tick_up(x, end, runs) {
  if
  :: runs && x < end -> x++
  :: else
  fi
}

inline tick_down(x) {
  if
  :: x > 0 -> x--
  :: else
  fi
}

inline tick_servers() { tick_down(timer); due = 1 }

proctype World() {
  do
  :: d_step { tick_servers();
      tick_down(left);
      tick_up(age, TIMEOUT, stage > 0);
#if defined(LOST) || defined(SINGLE_WRITE)
      tick_up(requestAge, TIMEOUT, waiting);
      tick_up(lostAge, TIMEOUT, hasLost);
#endif
      tick_up(since, TICK, stage > 1) }
  :: d_step { !slow -> tick_servers(); slow = 1 }
  od
}

init {
  atomic {
    run World();
    run Client();
    run Follower();
    run Leader()
  }
}
