// What membership.pml stands on: the segments and the tables in them, the kernel, and what there is to know of each
// copy.
#define SEGMENTS 4  // at once
#define NONE 15
#define me _pid

// A word of a slot, as in table.h. The kernel's mark is the same whether WAITERS was set or not.
#define FREE 0
#define OWNER_DIED 1
#define WAITERS 2
#define GONE OWNER_DIED
#define tid(p) (4 * (p) + 4)
#define tid_of(word) ((word) & ~(OWNER_DIED | WAITERS))
#define has_joined(word) (tid_of(word) != 0 && ((word) & WAITERS) != 0)
#define alarm_of(i) (SLOTS + (i))

typedef Segment {
  byte word[2 * SLOTS];  // the owner words, and then the alarm words
  byte leaver[SLOTS];
  bit removed;
}
Segment segment[SEGMENTS];
byte key = NONE;  // the segment that has the key

mtype = { AWAKE, LOOKING, READY, ASLEEP, PRINTING };  // READY: has looked, and is about to wait; PRINTING: has left
mtype state[COPIES] = AWAKE;
bit changed[COPIES];  // `changes` has changed since it began to look
typedef Words { byte word[2 * SLOTS] }
Words watched[COPIES];     // the words to wait on, each with the value that it has seen (1 once it sleeps), or 0
byte shown[COPIES];        // the count, while it waits
byte here[COPIES] = NONE;  // the segment that it is in, or is about to join
byte slot[COPIES];
byte old[COPIES] = NONE;  // the removed one that it comes from, while it joins again
byte old_slot[COPIES];
byte node[COPIES] = NONE;  // the segment in which its robust list points at the words of `slot`
bit running[COPIES];
bit is_stopped[COPIES];
bit has_notified[COPIES];  // has joined and notified, and does not leave yet; kept only if copies can be stopped
byte started, kills, stops, removals;

mtype = { SIGKILL, SIGSTOP };
chan signal = [0] of { byte, mtype };  // to one copy

hidden byte count, rank, step, other, id;  // only used within a step

#define has(set, n) (((set) >> (n)) & 1)
#define when(condition, action) if :: condition -> action :: else fi
#define any_slot(test, x) (test(x, 0) || test(x, 1) || test(x, 2) || test(x, 3))

// The table -------------------------------------------------------------------------------------------------

#define own_word segment[here[me]].word[slot[me]]
#define own_alarm segment[here[me]].word[alarm_of(slot[me])]
#define own_leaver segment[here[me]].leaver[slot[me]]
#define is_taken(s, i) (segment[s].word[i] != FREE)
#define is_free(i) (!is_taken(here[me], i))
#define is_empty (!any_slot(is_taken, here[me]))
#define is_counted(s, i) (has_joined(segment[s].word[i]) && tid_of(segment[s].word[i]) != segment[s].leaver[i])
#if MUTANT == LEAVERS_COUNTED
#define is_another(s, i) (i != slot[me] && has_joined(segment[s].word[i]))
#else
#define is_another(s, i) is_counted(s, i)
#endif
#define anybody_is_counted any_slot(is_another, here[me])  // whoever asks is leaving, and not counted

// Futexes ---------------------------------------------------------------------------------------------------

#define word_differs(p, i) (watched[p].word[i] != 0 && watched[p].word[i] != segment[here[p]].word[i])
#define alarm_differs(p, i) word_differs(p, alarm_of(i))
#define differs(p) (any_slot(word_differs, p) || any_slot(alarm_differs, p))

inline wake(p) {
  do
  :: id < 2 * SLOTS -> watched[p].word[id] = 0; id++
  :: else -> break
  od;
  id = 0;
  state[p] = AWAKE; changed[p] = 0; shown[p] = 0
}

inline fall_asleep() {
  do
  :: id < 2 * SLOTS -> watched[me].word[id] = watched[me].word[id] != 0; id++
  :: else -> break
  od;
  id = 0;
  state[me] = ASLEEP
}

inline outdate(p, s) {
  if
  :: here[p] == s && state[p] == LOOKING -> changed[p] = 1
  :: here[p] == s && state[p] == READY -> wake(p)
  :: else
  fi
}
inline change(s) { outdate(0, s); outdate(1, s); outdate(2, s) }  // changes++

#define sleeps_in(p, s) (here[p] == s && state[p] == ASLEEP)
inline wake_all(s) {  // all wait on `changes`
  when(sleeps_in(0, s), wake(0));
  when(sleeps_in(1, s), wake(1));
  when(sleeps_in(2, s), wake(2))
}

#define waits_on(p, s, i) (sleeps_in(p, s) && watched[p].word[i] != 0)
inline wake_one(s, i) {  // any one: who is first in the queue is up to the kernel
  if
  :: waits_on(0, s, i) -> wake(0)
  :: waits_on(1, s, i) -> wake(1)
  :: waits_on(2, s, i) -> wake(2)
  :: else
  fi
}

// Segments --------------------------------------------------------------------------------------------------

#define is_attached(p, s) (here[p] == s || old[p] == s)
#define anybody_is_attached(s) (is_attached(0, s) || is_attached(1, s) || is_attached(2, s))

inline vanish(s) {  // the memory is given back when nobody has it and nobody can find it
  if
  :: key != s && !anybody_is_attached(s) ->
    do
    :: id < SLOTS -> segment[s].word[id] = FREE; segment[s].word[alarm_of(id)] = 0; segment[s].leaver[id] = 0; id++
    :: else -> break
    od;
    id = 0;
    segment[s].removed = 0
  :: else
  fi
}

inline attach() {  // shmget(), shmat()
  if
  :: key == NONE ->
    key = 0;
    do
    :: anybody_is_attached(key) -> key++; assert(key < SEGMENTS)
    :: else -> break
    od
  :: else
  fi;
  here[me] = key
}

inline shmdt(s) {
  if
  :: s != NONE -> step = s; s = NONE; vanish(step); step = 0
  :: else
  fi
}

inline IPC_RMID(s) { segment[s].removed = 1; when(key == s, key = NONE); vanish(s) }

inline change_removed() {
  when(segment[0].removed, change(0));
  when(segment[1].removed, change(1));
  when(segment[2].removed, change(2));
  when(segment[3].removed, change(3))
}

inline wake_all_removed() {
  when(segment[0].removed, wake_all(0));
  when(segment[1].removed, wake_all(1));
  when(segment[2].removed, wake_all(2));
  when(segment[3].removed, wake_all(3))
}

// The end of a process --------------------------------------------------------------------------------------

// What the kernel does with each word of the robust list. Mark and wake are one step: whoever leaves the queue in
// between looks afterwards, and sees the mark.
inline mark(s, i) {
  if
  :: s != NONE && tid_of(segment[s].word[i]) == tid(me) ->
    if
    :: i < SLOTS -> segment[s].word[i] = GONE; when(MUTANT != STALE_NOTE, segment[s].leaver[i] = 0)
    :: else -> segment[s].word[i] = 0
    fi;
    wake_one(s, i)
  :: else
  fi
}

inline exit() {
  shmdt(here[me]);
  shmdt(old[me]);
  assert(started <= STARTS || key == NONE);  // what the killed had left is gone too
  node[me] = NONE; slot[me] = 0; old_slot[me] = 0; gone = 0;
  running[me] = 0; has_notified[me] = 0
}
