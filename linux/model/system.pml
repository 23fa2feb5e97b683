// What membership.pml stands on: the segments, the kernel that keeps them, the table that lies in one, what
// there is to know of each copy; and who kills copies and removes segments.
#define SEGMENTS 5  // at once
#define NONE 15

typedef Segment {
  short slots;  // a set of identities
  byte retiring;
  byte mourned;
  byte attached;  // a set of copies
  bit removed;
  bit gathered;
}
Segment segment[SEGMENTS];
byte key = NONE;  // the segment that has the key

// An identity is never used again. Here it is once nobody can hold it against its copy any more: who starts
// where another one has left has its identity, where another one was killed, a new one. 0 is nobody.
byte identity[COPIES];
byte deaths[COPIES];
byte here[COPIES] = NONE;  // the segment that the copy lives in, or is about to
byte old[COPIES] = NONE;   // the removed one that it comes from, while it joins again
short shown[COPIES];       // the identities behind the count that it shows, as long as it is asleep
bit asleep[COPIES];        // would sleep: `changes` is what it has seen
bit is_in[COPIES];         // has joined, and does not leave yet
bit waits[COPIES];         // has shown the count and waits for a change
bit killed[COPIES];
short alive;  // a set of identities
byte started, kills, removals, takeovers, interrupts;

#define self bit_of(identity[me])
#define bit_of(n) (1 << (n))
#define has(set, n) (((set) >> (n)) & 1)
#define count_of(set) (count_of_3(set) + count_of_3((set) >> 3) + count_of_3((set) >> 6))
#define count_of_3(set) (has(set, 1) + has(set, 2) + has(set, 3))
#define is_alive(id) has(alive, id)
#define occupied(s) count_of(segment[s].slots)
#define attached(s) count_of(segment[s].attached << 1)
#define anybody_alive(s) ((segment[s].slots & alive) != 0)
#define stands_in(s, copy_) (identity[copy_] != 0 && has(segment[s].slots, identity[copy_]))
#if MUTANT == FIRST_BURIER
#define deaths_seen(p) (shown[p] & segment[here[p]].slots & ~alive)
#else
#define deaths_seen(p) (shown[p] & ~alive & (segment[here[p]].slots | ~bit_of(segment[here[p]].mourned)))
#endif
#define sees_death(p) (deaths_seen(p) != 0)
#define exists(s) (key == s || segment[s].attached != 0)
#define is_named(s) (here[0] == s || here[1] == s || here[2] == s || old[0] == s || old[1] == s || old[2] == s)
#define when(condition, action) if :: condition -> action :: else fi

// The kernel ------------------------------------------------------------------------------------------------

inline vanish(s) {  // the memory is given back when nobody has it and nobody can find it
  if
  :: !exists(s) ->
    segment[s].slots = 0; segment[s].retiring = 0; segment[s].mourned = 0;
    segment[s].removed = 0; segment[s].gathered = 0
  :: else
  fi
}

inline shmget() {
  if
  :: key == NONE ->
    key = 0;
    do  // an id is not used again while somebody still has it in hand
    :: segment[key].attached != 0 || is_named(key) -> key++; assert(key < SEGMENTS)
    :: else -> break
    od
  :: else
  fi;
  here[me] = key
}

inline shmdt(s, copy_) {
  if
  :: s != NONE -> segment[s].attached = segment[s].attached & ~bit_of(copy_); vanish(s); s = NONE
  :: else
  fi
}

inline IPC_RMID(s) { segment[s].removed = 1; when(key == s, key = NONE); vanish(s) }

// table.cpp -------------------------------------------------------------------------------------------------

inline pick(set, who) {  // one of them
  who = 1;
  do
  :: !has(set, who) -> who++
  :: else -> break
  od
}

inline wake(copy_) { asleep[copy_] = 0; when(MUTANT != LATE_SEEN, shown[copy_] = 0) }

inline announce(s) { when(here[0] == s, wake(0)); when(here[1] == s, wake(1)); when(here[2] == s, wake(2)) }

inline compare_exchange(word, from, to) { when(word == from, word = to) }

inline release(s) { segment[s].slots = segment[s].slots & ~self }

inline bury(s, who) { segment[s].slots = segment[s].slots & ~bit_of(who) }

inline bury_dead(s) { segment[s].slots = segment[s].slots & alive }

// The life of a process ---------------------------------------------------------------------------------------

inline start() { started++; identity[me] = 1 + me + COPIES * deaths[me]; alive = alive | self; shmget() }

inline end_life() {
  shmdt(here[me], me);
  shmdt(old[me], me);
  alive = alive & ~self;
  when(started > STARTS, assert(key == NONE));  // what the killed had left is gone too
  deaths[me] = deaths[me] + killed[me];
  identity[me] = 0; killed[me] = 0; looked = 0; holder = 0; dead = 0
}

// The kernel detaches a process before it shows it as dead.
inline SIGKILL(copy_) {
  kills++; killed[copy_] = 1; wake(copy_); is_in[copy_] = 0; waits[copy_] = 0;
  shmdt(here[copy_], copy_);
  shmdt(old[copy_], copy_)
}

active proctype death() {
end:
  do
  :: d_step { kills < KILLS && identity[0] != 0 && started <= STARTS -> SIGKILL(0) }
  :: d_step { kills < KILLS && identity[1] != 0 -> SIGKILL(1) }
  :: d_step { kills < KILLS && identity[2] != 0 -> SIGKILL(2) }
  od
}

active proctype ipcrm() {
  byte s = NONE;
end:
  do
  :: d_step { removals < REMOVALS && key != NONE -> removals++; s = key; IPC_RMID(s); s = NONE }
  od
}
