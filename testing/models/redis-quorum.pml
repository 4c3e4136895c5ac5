// A quorum of three Redis servers that know nothing of each other.
//
// Client A has one ballot. It is the one that may believe too much: the network delays each of its requests and replies
// for any time, or loses them. Its clock may lose one tick, which stands for the drift of a lease. Client B has one
// ballot after the other. Its requests reach the servers one by one, and are answered at once. The model asks whether A
// still believes in its hold when B wins. By symmetry, A stands for each client.
//
// Two runs share this model:
//
// EXCLUSION leaves the bases out. A server loses its data at any time and as often as it likes.
//
// TOKENS leaves out losses, renewals and the drift of clocks. A base that a server mints is just above its last one, or
// above all others: so nothing depends on the clocks of the servers. A record expires at any time after the validity of
// its ballot. After a loss of data, tokens depend on the clocks alone, as the class comment of RedisQuorum says.
//
// Times are differences, and bases are replaced by their ranks. So neither time nor the number of ballots has a bound.
//
// Stands for lock-redis/src/main/java/io/github/distlock/redis/RedisQuorum.java: renewAll, releaseAll
// Stands for lock-redis/src/main/java/io/github/distlock/redis/Ballot.java: decided, hasMajority, raise, greatestBase,
//   end
// Stands for lock-redis/src/main/java/io/github/distlock/redis/Tally.java: count
// Stands for lock-redis/src/main/java/io/github/distlock/redis/Vote.java: mayArriveLate, end, release
// Stands for lock-redis/src/main/java/io/github/distlock/redis/QuorumContender.java: attempt, granted, withdraw
// Stands for lock-redis/src/main/java/io/github/distlock/redis/QuorumRenewal.java: answered, decided
// Stands for lock-redis/src/main/java/io/github/distlock/redis/QuorumRelease.java: outcome
// Stands for lock-redis/src/main/resources/io/github/distlock/redis/vote.lua: has_had_its_data_for
// Stands for lock-redis/src/main/resources/io/github/distlock/redis/record.lua: mint, keep_token, hold
//
// Check: EXCLUSION
// Check: TOKENS
// Break S1: EXCLUSION MINORITY_RENEWS: a renewal counts if one server has extended the hold
// Break S1: EXCLUSION ACROSS_ROUNDS: a renewal counts the answers of earlier rounds
// Break S1: EXCLUSION FROM_ANSWER: the validity of a renewal begins when the majority has answered
// Break S1: EXCLUSION LEASE=2 NO_ALLOWANCE: a hold ends when its keys do, by a clock that has lost a tick
// Break S1: EXCLUSION LEASE=2 VOTES_AT_ONCE: a server votes without a pause after a loss
// Break S1: EXCLUSION LEASE=2 SHORT_PAUSE: a server pauses for less than the longest lease
// Break S3: TOKENS NO_RAISE: the greatest base of the ballot is not stored on the others
// Break S3: TOKENS TOKEN_OF_FIRST: the base is that of the first vote
// Break S7: EXCLUSION LEASE=2 NO_TOMBSTONE: a vote that is granted late remains after the end of its ballot
// Show S1: EXCLUSION LEASE=2 CLOCK_JUMPS: the clock of one server jumps ahead while another one lacks the hold

#define S 3        // servers
#define MAJORITY 2
#ifndef LEASE
#define LEASE 3    // ticks, also the longest lease
#endif
#ifdef NO_ALLOWANCE
#define ALLOWANCE 0
#else
#define ALLOWANCE 1 // ticks by which a hold ends before its keys
#endif
#if defined(VOTES_AT_ONCE)
#define PAUSE 0
#elif defined(SHORT_PAUSE)
#define PAUSE (LEASE - 1)
#else
#define PAUSE LEASE
#endif
#ifdef MINORITY_RENEWS
#define RENEWED 1
#else
#define RENEWED MAJORITY
#endif

#define FREE 0
#define OF_A 1
#define OF_B 2
#define OF_OTHERS 3 // a value that has ended, and whose record remains

// ---- The servers ----

byte holder[S];
byte expires[S];
byte last[S];    // the token
byte wait[S];    // ticks until the server votes
byte buried[S];   // A's ballot has a tombstone

// ---- Client A ----

#define IDLE 0
#define ASKS 1
#define RAISES 2
#define HOLDS 3
#define ENDS 4
byte state;

#ifdef EXCLUSION
#define WINS ASKS
#else
#define WINS RAISES
#endif

#define NONE 0
#define SENT 1
#define YES 2    // under way
#define COUNTED 3
#define NO 4
byte asked[S];   // the request of the present round to each server
byte minted[S];  // the base of a vote that was granted
byte late[S];     // a vote that may still be granted
byte ending[S];
byte ended[S];
byte wanted;     // the base of the ballot
byte age;        // of the ballot, or of the round of renewals
byte left;       // ticks of the hold, by A's clock
bit slow;        // A's clock has lost a tick

// ---- Client B ----

byte b[S];       // NONE, COUNTED, NO
byte bMinted[S];
byte bStored[S];  // the server has stored the greatest base of the ballot
byte bAge;

// ---- The promises ----

bit jumped;
byte greatest;   // base of a server
byte held;       // the greatest base of a hold
bit S1 = 1, S3 = 1, S7 = 1;

byte i, n, base; // working variables of a step

c_decl {
  // Leaves a gap between two bases, for one that is just above the smaller one.
  static void rank(unsigned char *all[], int count) {
    unsigned char ranks[64] = { 0 };
    int k;
    for (k = 0; k < count; k++) ranks[*all[k]] = 2;
    ranks[0] = 0;
    for (k = 1; k < 64; k++) ranks[k] += ranks[k - 1];
    for (k = 0; k < count; k++) *all[k] = ranks[*all[k]];
  }

  // Sorts the servers by their rows, so that states differ only if more than the names of the servers does.
  static void sort_servers(unsigned char *columns[], int count) {
    int i, j, k, compared;
    unsigned char kept;
    for (i = 0; i < 2; i++)
      for (j = 0; j < 2 - i; j++) {
        for (compared = 0, k = 0; k < count && !compared; k++) compared = columns[k][j] - columns[k][j + 1];
        for (k = 0; k < count && compared > 0; k++) {
          kept = columns[k][j];
          columns[k][j] = columns[k][j + 1];
          columns[k][j + 1] = kept;
        }
      }
  }
}
inline end_step() {
  i = 0; n = 0; base = 0;
  c_code {
    unsigned char *bases[] = { &now.last[0], &now.last[1], &now.last[2], &now.minted[0], &now.minted[1],
      &now.minted[2], &now.bMinted[0], &now.bMinted[1], &now.bMinted[2],
      &now.wanted, &now.greatest, &now.held };
    unsigned char *columns[] = { now.holder, now.expires, now.last, now.wait, now.buried, now.asked,
      now.minted, now.late, now.ending, now.ended, now.b, now.bMinted, now.bStored };
    rank(bases, sizeof bases / sizeof *bases);
    sort_servers(columns, sizeof columns / sizeof *columns);
  }
}

#define isHeld (state == HOLDS && left > 0)
#define atLeast(x, y) (x >= y -> x : y)
#define counted(x) ((x[0] == COUNTED) + (x[1] == COUNTED) + (x[2] == COUNTED))
#define refused(x) ((x[0] == NO) + (x[1] == NO) + (x[2] == NO))

inline win(newBase) {
#ifdef EXCLUSION
  skip
#else
  if
  :: newBase > held -> held = newBase
  :: else -> S3 = 0; assert(S3)
  fi
#endif
}

// ---- The scripts ----

// A base above the last one, or above all others.
inline mint(s, ahead) {
#ifdef EXCLUSION
  skip
#else
  base = last[s] + 1;
  if
  :: ahead && base <= greatest -> base = greatest + 1
  :: else
  fi;
  if
  :: base > greatest -> greatest = base
  :: else
  fi;
  last[s] = base
#endif
}

#define grants(s) (holder[s] == FREE && wait[s] == 0)

inline free(s) { holder[s] = FREE; expires[s] = 0 }

// What a vote with another base needs.
#ifdef NO_RAISE
#define RAISED COUNTED
#else
#define RAISED SENT
#endif

inline forget_round() {
  asked[0] = NONE; asked[1] = NONE; asked[2] = NONE; minted[0] = 0; minted[1] = 0; minted[2] = 0
}

// ---- The steps of A that concern one server ----

inline vote(s, ahead) {
  if
  :: buried[s] -> n = NO
  :: !buried[s] && holder[s] == OF_A -> n = YES; base = last[s]
  :: !buried[s] && grants(s) ->
    if
    :: ended[s] -> S7 = 0; assert(S7)
    :: else
    fi;
    mint(s, ahead);
    holder[s] = OF_A;
    expires[s] = LEASE;
    n = YES
  :: else -> n = NO
  fi;
  if
  :: state == ASKS || state == RAISES ->
#ifdef EXCLUSION
    asked[s] = n
#else
    if
    :: n == NO -> asked[s] = NO
    :: n == YES && state == ASKS -> asked[s] = COUNTED; minted[s] = base
    :: n == YES && state == RAISES -> asked[s] = (base == wanted -> COUNTED : RAISED)
    fi
#endif
  :: else
  fi;
  late[s] = 0
}

proctype LinkOfA(byte s) {
  do
  // A vote. Its answer counts until the ballot is won or given up.
  :: d_step { late[s] -> vote(s, 0); end_step() }
#ifndef EXCLUSION
  :: d_step { late[s] && grants(s) && !buried[s] -> vote(s, 1); end_step() }
#endif
#ifdef EXCLUSION
  :: d_step { state == ASKS && asked[s] == YES -> asked[s] = COUNTED; end_step() }
#endif
#ifndef EXCLUSION
  // A vote with a smaller base is raised. The answer counts at once: a late one is like a late request.
  :: d_step { state == RAISES && asked[s] == SENT && !late[s] ->
      if
      :: holder[s] == OF_A ->
        last[s] = atLeast(wanted, last[s]);
        expires[s] = LEASE;
        asked[s] = COUNTED
      :: else -> asked[s] = NO
      fi;
      end_step() }
#endif
#ifdef EXCLUSION
  // A renewal
  :: d_step { state == HOLDS && asked[s] == SENT ->
      if
      :: holder[s] == OF_A -> expires[s] = LEASE; asked[s] = YES
      :: else -> asked[s] = NO
      fi;
      end_step() }
  :: d_step { state == HOLDS && asked[s] == YES -> asked[s] = COUNTED; end_step() }
#endif
#ifdef EXCLUSION
  // The end of the ballot. It leaves a tombstone if the vote may be granted later.
  :: d_step { ending[s] ->
      if
      :: holder[s] == OF_A -> free(s)
      :: else
      fi;
#ifndef NO_TOMBSTONE
      buried[s] = late[s];
#endif
      ending[s] = 0;
      ended[s] = 1;
      end_step() }
#endif
  od
}

proctype A() {
  do
  :: d_step { state == IDLE ->
      state = ASKS;
      asked[0] = SENT; asked[1] = SENT; asked[2] = SENT; late[0] = 1; late[1] = 1; late[2] = 1;
      end_step() }
#ifndef EXCLUSION
  :: d_step { state == ASKS && counted(asked) >= MAJORITY ->
      state = RAISES;
      i = 0;
      do
      :: i < S ->
        if
#ifdef TOKEN_OF_FIRST
        :: asked[i] == COUNTED && wanted == 0 -> wanted = minted[i]
#else
        :: asked[i] == COUNTED && minted[i] > wanted -> wanted = minted[i]
#endif
        :: else
        fi;
        i++
      :: else -> break
      od;
      i = 0;
      do
      :: i < S ->
        if
        :: asked[i] == COUNTED && minted[i] != wanted -> asked[i] = RAISED
        :: else
        fi;
        minted[i] = 0;
        i++
      :: else -> break
      od;
      end_step() }
#endif
  :: d_step { state == WINS && counted(asked) >= MAJORITY && age < LEASE - ALLOWANCE ->
#ifdef EXCLUSION
      state = HOLDS;
      left = LEASE - ALLOWANCE - age;
#else
      state = ENDS; // its records expire
      late[0] = 0; late[1] = 0; late[2] = 0;
      win(wanted);
#endif
      wanted = 0; age = 0;
      forget_round();
      end_step() }
#ifdef EXCLUSION
  // A round of renewals
  :: d_step { isHeld && asked[0] == NONE && asked[1] == NONE && asked[2] == NONE ->
      asked[0] = SENT; asked[1] = SENT; asked[2] = SENT; end_step() }
  :: d_step { isHeld && counted(asked) >= RENEWED ->
#ifdef FROM_ANSWER
      age = 0;
#endif
      if
      :: age < LEASE - ALLOWANCE -> left = atLeast(left, LEASE - ALLOWANCE - age)
      :: else
      fi;
      age = 0;
      forget_round();
      end_step() }
  :: d_step { isHeld && counted(asked) < RENEWED && asked[0] + asked[1] + asked[2] > 0 ->
      age = 0; // the answers are not awaited any longer
#ifdef ACROSS_ROUNDS
      i = 0;
      do
      :: i < S ->
        if
        :: asked[i] != COUNTED -> asked[i] = SENT
        :: else
        fi;
        i++
      :: else -> break
      od;
#else
      forget_round();
#endif
      end_step() }
#endif
  // A release, a hold that has ended, or a ballot that is given up
  :: d_step { state == HOLDS || state == ASKS || state == RAISES ->
      state = ENDS; left = 0; wanted = 0; age = 0;
      forget_round();
#ifdef EXCLUSION
      ending[0] = 1; ending[1] = 1; ending[2] = 1;
#else
      late[0] = 0; late[1] = 0; late[2] = 0; // its records expire
#endif
      end_step() }
  od
}

// ---- B ----

inline b_forgets() {
  b[0] = NONE; b[1] = NONE; b[2] = NONE;
  bMinted[0] = 0; bMinted[1] = 0; bMinted[2] = 0;
  bStored[0] = 0; bStored[1] = 0; bStored[2] = 0;
  bAge = 0
}

inline b_votes(s, ahead) {
  mint(s, ahead);
  holder[s] = OF_B;
  expires[s] = LEASE;
  b[s] = COUNTED;
  bMinted[s] = base
}

#define bAsks (bStored[0] + bStored[1] + bStored[2] == 0)
#define bMost atLeast(bMinted[1], bMinted[2])

proctype LinkOfB(byte s) {
  do
  :: d_step { b[s] == NONE && bAsks && grants(s) -> b_votes(s, 0); end_step() }
#ifndef EXCLUSION
  :: d_step { b[s] == NONE && bAsks && grants(s) -> b_votes(s, 1); end_step() }
#endif
#ifndef EXCLUSION
  :: d_step { b[s] == COUNTED && counted(b) >= MAJORITY && !bStored[s] && holder[s] == OF_B ->
      base = bMost;
      base = atLeast(base, bMinted[0]);
#ifndef NO_RAISE
      last[s] = atLeast(base, last[s]);
#endif
      bStored[s] = 1;
      end_step() }
#endif
  od
}

#ifdef EXCLUSION
#define bHasMajority (counted(b) >= MAJORITY)
#else
#define bHasMajority (bStored[0] + bStored[1] + bStored[2] >= MAJORITY)
#endif

proctype B() {
  do
  :: d_step { bHasMajority && bAge < LEASE - ALLOWANCE ->
      if
      :: isHeld -> S1 = 0; assert(S1)
      :: else
      fi;
      base = bMost;
      base = atLeast(base, bMinted[0]);
      win(base);
      b_forgets();
      i = 0;
      do
      :: i < S ->
        if
        :: holder[i] == OF_B -> holder[i] = OF_OTHERS
        :: else
        fi;
        i++
      :: else -> break
      od;
      end_step() }
  // Gives the ballot up, whose votes remain.
  :: d_step { counted(b) > 0 ->
      b_forgets();
      i = 0;
      do
      :: i < S ->
        if
        :: holder[i] == OF_B -> holder[i] = OF_OTHERS
        :: else
        fi;
        i++
      :: else -> break
      od;
      end_step() }
  od
}

// ---- Time, and the loss of data ----

inline tick_down(x) {
  if
  :: x > 0 -> x--
  :: else
  fi
}

inline tick_server(s) {
  if
  :: expires[s] == 1 -> free(s)
  :: expires[s] > 1 -> expires[s]--
  :: else
  fi;
  tick_down(wait[s])
}

inline tick_others() {
  tick_server(0); tick_server(1); tick_server(2);
  if
  :: counted(b) > 0 && bAge < LEASE -> bAge++
  :: else
  fi
}

inline tick_a() {
  tick_down(left);
  if
  :: (state == ASKS || state == RAISES || (isHeld && asked[0] + asked[1] + asked[2] > 0)) && age < LEASE -> age++
  :: else
  fi
}

proctype World() {
  do
#ifdef EXCLUSION
  :: d_step { tick_others(); tick_a(); end_step() }
  :: d_step { !slow -> tick_others(); slow = 1; end_step() }
#else
  :: d_step { (state == ASKS || state == RAISES) && age == 0 -> age = LEASE }
  :: d_step { counted(b) > 0 && bAge == 0 -> bAge = LEASE }
#endif
  od
}

proctype Server(byte s) {
  do
#ifdef EXCLUSION
  // Loses its data, and counts from then on. A real server counts from the next request, which is later.
  :: d_step { free(s); buried[s] = 0; ended[s] = 0; wait[s] = PAUSE; end_step() }
#else
  // A record expires, after its ballot can be won no more.
  :: d_step { holder[s] == OF_A && (age == LEASE || state == ENDS) -> free(s); end_step() }
  :: d_step { holder[s] == OF_B && bAge == LEASE -> free(s); end_step() }
#endif
#ifdef CLOCK_JUMPS
  :: d_step { !jumped -> jumped = 1; free(s); wait[s] = 0; end_step() }
#endif
  // Frees what others have left.
  :: d_step { holder[s] == OF_OTHERS -> free(s); end_step() }
  od
}

init {
  atomic {
    run World();
    run A();
    run LinkOfA(0); run LinkOfA(1); run LinkOfA(2);
    run B();
    run LinkOfB(0); run LinkOfB(1); run LinkOfB(2);
    run Server(0); run Server(1); run Server(2)
  }
}
