// The handoff of a lock on one Redis server, with its message and its marker.
//
// Contender 0 is the one that may believe too much. The network delays its requests, replies and messages for any time,
// loses them, and delivers a request after its client has given it up. It takes a step when it likes, so it also stands
// still. Its clock may lose one tick, which stands for the drift of a lease. Contender 1 is another fair thread of the
// same client, and contender 2 belongs to another client. Both are answered at once, and hear of a handoff at once:
// delays would only shorten their holds. They come back with another value, or crash while they wait. By symmetry,
// contender 0 stands for each of them.
//
// The server fails over once, to a replica that lacks any number of its last changes. The replica may be empty, so this
// is also a restart without data.
//
// S1 holds with the documented exception: two holds may overlap if the former primary has given one of them and the new
// primary the other, as long as the new primary has not renewed the former. S3 holds for the bases that the servers
// mint, for the holds that one primary has given, and for the holds of one client.
//
// Times are differences, and bases are replaced by their ranks. So neither time nor the number of grants has a bound.
//
// Stands for lock-redis/src/main/java/io/github/distlock/redis/RedisContender.java: attempt, takeHandoff, take,
//   announced, waitsSince, heard, withdraw, won
// Stands for lock-redis/src/main/java/io/github/distlock/redis/RedisGrant.java: renewal, release
// Stands for lock-redis/src/main/java/io/github/distlock/redis/TakenBases.java: take, floor
// Stands for lock-redis/src/main/resources/io/github/distlock/redis/record.lua: mint, marker, kept_lease
// Stands for lock-redis/src/main/resources/io/github/distlock/redis/queue.lua: first_entry, keep_entry, keep_waiting,
//   serve_next, bury, is_buried
//
// Check: TWO_CLIENTS
// Check: ONE_CLIENT
// Break S1: TWO_CLIENTS ONLY_S1 NO_MARKER: a message makes a holder without a comparison of its base with the marker
// Break S1: TWO_CLIENTS MARKER_IS_LAST_BASE: the marker does not count the server's time, so it is zero after a loss
// Break S1: TWO_CLIENTS FROM_ARRIVAL: the validity of a handoff begins when the message arrives
// Break S1: TWO_CLIENTS NO_ALLOWANCE: a hold ends when its key does, by a clock that has lost a tick
// Break S1: TWO_CLIENTS RENEWAL_CREATES: a renewal writes the record instead of comparing it
// Break S3: TWO_CLIENTS BASE_IS_LAST_PLUS_ONE: a base does not count the server's time, so it starts again after a loss
// Show S1: TWO_CLIENTS STRICT_S1: two holds of different primaries overlap
// Break S3: ONE_CLIENT NO_FLOOR: a message makes a holder although its client has had a greater base
// Break S3: ONE_CLIENT NO_FLOOR_OF_REPLIES: a reply makes a holder although its client has had a greater base
// Break S7: TWO_CLIENTS NO_TOMBSTONE: a request that arrives after the withdrawal acquires the lock

#define N 3        // contenders
#define DEAD 4     // holds the lock in place of a value that has ended
#define LEASE 3    // ticks, also of a handoff
#define ALIVE 2    // ticks for which the entry of contender 0 counts without a heartbeat
#define LATE 2     // ticks after which a busy reply is too old for a handoff: more than half of the lease
#ifdef NO_ALLOWANCE
#define ALLOWANCE 0
#else
#define ALLOWANCE 1 // ticks by which a hold ends before its key
#endif

#define NEW 0
#define WAITS 1
#define HOLDS 2
#define ENDS 3
#define OVER 4

#define NONE 0
#define SENT 1
#define GRANTED 2
#define BUSY 3

// ---- The server ----

typedef Store {
  byte holder;   // contender + 1
  byte base;     // of the record
  byte expires;  // in ticks
  byte last;     // the token
  byte q[N];     // contender + 1, in their order
  byte alive;    // ticks for which the entry of contender 0 still counts
  bit buried     // contender 0 has a tombstone
}
Store s;
Store r;         // the replica
bit down;
bit failed;      // the primary is the former replica
bit copied;

// ---- The contenders ----

byte state[N];
byte left[N];    // ticks of the hold, by the client's clock
bit by[N];       // which primary has given or renewed the hold
byte floor;      // GrantedBases of the client of contenders 0 and 1
bit slow;        // the clock of contender 0 has lost a tick

// What is under way between contender 0 and the server.
byte ask;        // the attempt: NONE, SENT, GRANTED, BUSY
byte askAge;
byte askBase;    // or the marker
bit askBy;       // which primary has answered
bit late;        // a request to acquire that the client has given up
bit doubtful;
bit beat;        // a heartbeat
byte beatAge;
bit waits;       // there is a last busy reply
byte waitAge;
byte marker;
bit waitBy;
byte message;
bit messageBy;
byte told;       // announced
bit toldBy;
byte renew;      // NONE, SENT, GRANTED, BUSY for gone
byte renewAge;
bit renewBy;
bit confirmed;   // a release or withdrawal of contender 0 was answered

// ---- The promises ----

byte minted;     // the greatest base of both primaries
byte held[2];    // the greatest base of a hold, for each primary
bit S1 = 1, S3 = 1, S7 = 1;

// Working variables of a step.
byte i, j, first, base;

// Replaces bases by their ranks, so that states differ only if the order of the bases does.
c_decl {
  static void rank(unsigned char *all[], int count) {
    unsigned char ranks[32] = { 0 };
    int k;
    for (k = 0; k < count; k++) ranks[*all[k]] = 1;
    ranks[0] = 0;
    for (k = 1; k < 32; k++) ranks[k] += ranks[k - 1];
    for (k = 0; k < count; k++) *all[k] = ranks[*all[k]];
  }
}
inline end_step() {
  i = 0; j = 0; first = 0; base = 0;
  c_code {
    unsigned char *bases[] = { &now.s.base, &now.s.last, &now.r.base, &now.r.last, &now.askBase,
      &now.marker, &now.message, &now.told, &now.minted, &now.held[0], &now.held[1], &now.floor };
    rank(bases, sizeof bases / sizeof *bases);
  }
}

inline forget_request() { ask = NONE; askAge = 0; askBase = 0; askBy = 0 }
inline forget_beat() { beat = 0; beatAge = 0 }
inline forget_renewal() { renew = NONE; renewAge = 0; renewBy = 0 }
inline forget_hold(c) { left[c] = 0; by[c] = 0 }

inline forget_waiting() {
  waits = 0; waitAge = 0; marker = 0; waitBy = 0; message = 0; messageBy = 0; told = 0; toldBy = 0; forget_beat()
}

#define isHeld(c) (state[c] == HOLDS && left[c] > 0)
#ifdef STRICT_S1
#define overlap(c, d) (isHeld(c) && isHeld(d))
#else
#define overlap(c, d) (isHeld(c) && isHeld(d) && by[c] == by[d])
#endif

#ifdef ONLY_S1
#define break_S3 skip // the planted bug breaks S1, too
#else
#define break_S3 S3 = 0; assert(S3)
#endif

inline check_overlap() {
  if
  :: overlap(0, 1) || overlap(0, 2) || overlap(1, 2) -> S1 = 0; assert(S1)
  :: else
  fi
}

inline hold(c, newBase, length) {
  if
  :: newBase > held[by[c]] && (c == 2 || newBase > floor) -> held[by[c]] = newBase
  :: else -> break_S3
  fi;
  if
  :: c != 2 && newBase > floor -> floor = newBase
  :: else
  fi;
  left[c] = length - ALLOWANCE;
  state[c] = HOLDS;
  check_overlap()
}

// ---- The scripts ----

#ifdef BASE_IS_LAST_PLUS_ONE
#define newBase (s.last + 1)
#else
#define newBase (minted + 1) // the clock, which has passed all bases of both primaries
#endif
#ifdef MARKER_IS_LAST_BASE
#define newMarker s.last
#else
#define newMarker minted
#endif

inline mint() {
  base = newBase;
  if
  :: base > minted -> minted = base
  :: else -> break_S3
  fi;
  s.last = base
}

// The replica still has a value that has ended. Its contender comes back with another one.
inline forget_value(c) {
  if
  :: r.holder == c + 1 -> r.holder = DEAD
  :: else
  fi;
  if
  :: r.q[0] == c + 1 -> r.q[0] = r.q[1]; r.q[1] = r.q[2]; r.q[2] = 0
  :: r.q[1] == c + 1 -> r.q[1] = r.q[2]; r.q[2] = 0
  :: r.q[2] == c + 1 -> r.q[2] = 0
  :: else
  fi
}

inline set_free() { s.holder = 0; s.base = 0; s.expires = 0 }

inline grant(c, lease) {
  if
  :: c == 0 && confirmed && !failed -> S7 = 0; assert(S7)
  :: else
  fi;
  s.holder = c + 1;
  s.base = base;
  s.expires = lease
}

inline drop_entry(c) {
  i = 0;
  do
  :: i < N && s.q[i] != c + 1 -> i++
  :: else -> break
  od;
  if
  :: i < N ->
    do
    :: i < N - 1 -> s.q[i] = s.q[i + 1]; i++
    :: else -> break
    od;
    s.q[N - 1] = 0
  :: else
  fi;
  if
  :: c == 0 -> s.alive = 0
  :: else
  fi
}

#define isSilent(c) ((c == 0 && s.alive == 0) || (c != 0 && state[c] == OVER))

// Leaves the contender + 1, or 0.
inline first_entry() {
  do
  :: s.q[0] != 0 && isSilent(s.q[0] - 1) -> first = s.q[0] - 1; drop_entry(first)
  :: else -> break
  od;
  first = s.q[0]
}

inline serve_next() {
  first_entry();
  if
  :: first == 0 -> set_free()
  :: else ->
    first = first - 1;
    mint();
    grant(first, LEASE);
    drop_entry(first);
    if
    :: first == 0 && state[0] == WAITS -> message = base; messageBy = failed
    :: first != 0 && state[first] == WAITS -> by[first] = failed; hold(first, base, LEASE)
    :: else
    fi
  fi
}

// Keeps the contender's entry, or makes one.
inline keep_entry(c) {
  i = 0;
  do
  :: s.q[i] != 0 && s.q[i] != c + 1 -> i++
  :: else -> break
  od;
  s.q[i] = c + 1;
  if
  :: c == 0 -> s.alive = ALIVE
  :: else
  fi
}

// Afterwards, the record says whether the contender holds the lock.
inline acquire(c) {
  if
  :: c == 0 && s.buried
  :: else ->
    if
    :: s.holder == 0 ->
      first_entry();
      if
      :: first == 0 || first == c + 1 ->
        mint();
        grant(c, LEASE);
        drop_entry(c)
      :: else ->
        serve_next();
        keep_entry(c)
      fi
    :: s.holder == c + 1 ->
      base = s.base;
      if
      :: (c != 2 && base <= floor) || base < s.last -> mint()
      :: else
      fi;
      grant(c, LEASE) // no lease is longer
    :: else -> keep_entry(c)
    fi
  fi
}

// Afterwards, i says whether contender 0 goes on waiting.
inline heartbeat() {
  i = 0;
  do
  :: i < N && s.q[i] != 1 -> i++
  :: else -> break
  od;
  i = s.holder != 0 && i < N;
  if
  :: i -> s.alive = ALIVE
  :: else
  fi
}

// Afterwards, the record says whether it was extended.
inline extend(c) {
#ifdef RENEWAL_CREATES
  s.holder = c + 1;
#endif
  if
  :: s.holder == c + 1 -> s.expires = LEASE
  :: else
  fi
}

// A release or a withdrawal. It leaves a tombstone if a request may arrive later.
inline end(c) {
  drop_entry(c);
#ifndef NO_TOMBSTONE
  if
  :: c == 0 && doubtful -> s.buried = 1
  :: else
  fi;
#endif
  if
  :: s.holder == 0 || s.holder == c + 1 -> serve_next()
  :: else
  fi
}

// ---- The client of contender 0 ----

inline waits_since(age, newMark, primary) {
  if
  :: !waits || newMark > marker ->
    waits = 1; waitAge = (age < LATE -> age : LATE); marker = newMark; waitBy = primary
  :: else
  fi
}

#ifdef NO_MARKER
#define isNew 1
#else
#define isNew (told > marker)
#endif
#ifdef NO_FLOOR
#define isAboveFloor 1
#else
#define isAboveFloor (told > floor)
#endif
#ifdef FROM_ARRIVAL
#define handoffAge 0
#else
#define handoffAge waitAge
#endif
#ifdef NO_FLOOR_OF_REPLIES
#define isTaken 1
#else
#define isTaken (askBase > floor)
#endif
#define takes (told != 0 && waits && isNew && isAboveFloor && handoffAge < LATE)

proctype Contender() {
  do
  // An attempt takes a handoff, or asks.
  :: d_step { state[0] == WAITS && ask == NONE && takes ->
      base = told;
      first = LEASE - handoffAge;
      by[0] = toldBy || waitBy;
      hold(0, base, first);
      forget_waiting();
      end_step() }
  :: d_step { state[0] <= WAITS && ask == NONE && !takes ->
      state[0] = WAITS;
      if
      :: waits -> told = 0; toldBy = 0
      :: else
      fi;
      ask = SENT;
      end_step() }
  :: d_step { ask == SENT && !down ->
      acquire(0);
      ask = (s.holder == 1 -> GRANTED : BUSY);
      askBase = (s.holder == 1 -> s.base : newMarker);
      askBy = failed;
      end_step() }
#ifndef TWO_CLIENTS
  // Another contender of the client has taken a later grant, so this one asks again.
  :: d_step { ask == GRANTED && !isTaken -> forget_request(); end_step() }
#endif
  :: d_step { ask == GRANTED && isTaken && askAge < LEASE - ALLOWANCE ->
      base = askBase;
      first = LEASE - askAge;
      by[0] = askBy;
      forget_request();
      forget_waiting(); // told is 0 from here on
      hold(0, base, first);
      end_step() }
  :: d_step { ask == GRANTED && isTaken && askAge >= LEASE - ALLOWANCE ->
      forget_request(); // too little validity is left, so the engine withdraws
      forget_waiting();
      state[0] = ENDS;
      end_step() }
  :: d_step { ask == BUSY -> waits_since(askAge, askBase, askBy); forget_request(); end_step() }
  // The client gives the request up, or its reply is lost.
  :: d_step { ask != NONE && !doubtful -> doubtful = 1; late = (ask == SENT); forget_request(); end_step() }
  :: d_step { late && !down -> acquire(0); late = 0; end_step() }
  // Heartbeats run beside attempts, on another connection.
  :: d_step { state[0] == WAITS && waits && !beat -> beat = 1 }
  :: d_step { beat && !down ->
      heartbeat();
      if
      :: i -> waits_since(beatAge, newMarker, failed)
      :: else // the contender asks
      fi;
      forget_beat();
      end_step() }
  // The message arrives. A later one takes the place of one that has not arrived.
  :: d_step { message != 0 && state[0] == WAITS ->
      told = message; toldBy = messageBy; message = 0; messageBy = 0; end_step() }
  :: d_step { isHeld(0) && renew == NONE -> renew = SENT }
  :: d_step { renew == SENT && !down ->
      extend(0); renew = (s.holder == 1 -> GRANTED : BUSY); renewBy = failed; end_step() }
  :: d_step { renew == GRANTED ->
      if
      :: isHeld(0) && LEASE - ALLOWANCE > left[0] + renewAge ->
        left[0] = LEASE - ALLOWANCE - renewAge;
        by[0] = renewBy;
        check_overlap()
      :: else
      fi;
      forget_renewal();
      end_step() }
  :: d_step { renew == BUSY ->
      if
      :: state[0] == HOLDS -> state[0] = OVER; forget_hold(0)
      :: else
      fi;
      forget_renewal();
      end_step() }
  // A release, or a waiter that gives up. A request that is under way may arrive later.
  :: d_step { state[0] == HOLDS || (state[0] == WAITS && !(ask == SENT && late)) ->
      if
      :: ask == SENT -> late = 1; doubtful = 1
      :: ask == GRANTED || ask == BUSY -> doubtful = 1
      :: else
      fi;
      forget_request();
      forget_waiting();
      forget_hold(0);
      state[0] = ENDS;
      end_step() }
  :: d_step { state[0] == ENDS && !down -> end(0); state[0] = OVER; confirmed = 1; end_step() }
  od
}

proctype Other(byte c) {
  do
  // Also a heartbeat, if the contender waits.
  :: d_step { state[c] <= WAITS && !down ->
      state[c] = WAITS;
      acquire(c);
      if
      :: s.holder == c + 1 -> base = s.base; by[c] = failed; hold(c, base, LEASE)
      :: else
      fi;
      end_step() }
  :: d_step { isHeld(c) && !down ->
      extend(c);
      if
      :: s.holder == c + 1 -> left[c] = LEASE - ALLOWANCE; by[c] = failed; check_overlap()
      :: else -> state[c] = NEW; forget_hold(c); forget_value(c)
      fi;
      end_step() }
  :: d_step { (state[c] == WAITS || state[c] == HOLDS) && !down ->
      state[c] = NEW; forget_hold(c); end(c); forget_value(c); end_step() }
  :: d_step { c == 1 && state[c] == WAITS -> state[c] = OVER } // crashes
  od
}

// ---- Time, and the failover ----

inline tick_down(x) {
  if
  :: x > 0 -> x--
  :: else
  fi
}

inline tick_up(x, most, runs) {
  if
  :: runs && x < most -> x++
  :: else
  fi
}

inline tick_store(t) {
  if
  :: t.expires == 1 -> t.holder = 0; t.base = 0; t.expires = 0
  :: t.expires > 1 -> t.expires--
  :: else
  fi;
  tick_down(t.alive)
}

inline tick_client_0() {
  tick_down(left[0]); tick_down(left[1]);
  tick_up(askAge, LEASE, ask != NONE);
  tick_up(beatAge, LATE, beat);
  tick_up(waitAge, LATE, waits);
  tick_up(renewAge, LEASE, renew != NONE)
}

inline tick_others() {
  tick_store(s); tick_store(r); tick_down(left[2]); down = 0
}

inline copy_store(from, to) {
  to.holder = from.holder; to.base = from.base; to.expires = from.expires; to.last = from.last;
  to.alive = from.alive; to.buried = from.buried;
  to.q[0] = from.q[0]; to.q[1] = from.q[1]; to.q[2] = from.q[2]
}

inline forget_store(t) {
  t.holder = 0; t.base = 0; t.expires = 0; t.last = 0; t.alive = 0; t.buried = 0;
  t.q[0] = 0; t.q[1] = 0; t.q[2] = 0
}

proctype World() {
  do
  :: d_step { tick_others(); tick_client_0(); end_step() }
  :: d_step { !slow -> tick_others(); slow = 1; end_step() }
#ifndef NO_FAILOVER
  :: d_step { !copied && !failed -> copied = 1; copy_store(s, r); end_step() }
  // No request arrives at the former primary any more.
  :: d_step { !failed ->
      failed = 1; copied = 0; down = 1; late = 0; copy_store(r, s); forget_store(r); end_step() }
#endif
  od
}

init {
  atomic {
    run World();
    run Contender();
#ifndef TWO_CLIENTS
    run Other(1);
#endif
#ifndef ONE_CLIENT
    run Other(2)
#endif
  }
}
