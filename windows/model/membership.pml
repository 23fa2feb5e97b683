// Every interleaving of how copies join, look, wait, leave, are killed and are stopped: membership.cpp and wait.cpp as
// a model for Spin.
//
//   spin -a membership.pml && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m100000
//
// and to see whether copies can keep each other busy without end:
//
//   spin -a -DLIVELOCK membership.pml && cc -O2 -DNP -DNOREDUCE -o pan pan.c && ./pan -l -m100000
//
// It looks for a copy that sleeps and shows a wrong count, and for a state with no way out. -DMUTANT=… takes one step of
// the protocol away, and it must find one of these. Then `spin -t -p membership.pml` tells how it came about.
//
// One step here is one step there: a system call, or a read or write of a shared word. What a copy does with what it
// has read belongs to the step. A copy can be killed or stopped before each step.
//
// What is simpler than the program, and why nothing is lost by it:
// - All words are read, and the processes opened, in one step. If one changes during a look, all are notified
//   afterwards, and the look is repeated; a process that ends during a look ends the wait.
// - Those that a look has found ended are taken out in one step: all are notified of all of them, once.
// - A joiner takes the lowest free slot. Which one it is matters only to who watches whom; -DANY_SLOT tries them all.
// - A request to leave is obeyed between two looks, whether the copy sleeps or has been woken.
// - That whoever finds a copy ended notifies all, even if it is taken out already, matters only to a fourth copy, which
//   watches none of them.
// - A copy that cannot open or set an event ends, which is like a kill.
// - Garbage in the table, processes that may not be watched, --max, the list of those that left and the article's
//   counter are left out.
#define COPIES 3       // that run at once
#define SLOTS 4
#define EVENTS 20  // never reached, which is checked
#ifndef STARTS
#define STARTS 3  // whoever has ended may start again
#endif
#ifndef KILLS
#define KILLS 1
#endif
#ifndef STOPS
#define STOPS 0
#endif
#ifndef LEAVES
#define LEAVES 1
#endif
#ifndef KILL_AFTER
#define KILL_AFTER 0  // nobody is killed before so many leave
#endif
#ifndef REACH
#define REACH 2  // 2: each watches all others
#endif

// What can be wrong with the protocol:
#define SILENT_JOINER 1         // a joiner does not notify
#define SILENT_WITNESS 2        // who takes a copy out does not notify
#define NOTIFYING_UNWATCHED 3   // a copy that has just joined is watched no more than others
#define LEAVER_FREES 4          // a copy that leaves frees its slot, and then notifies
#define CLOSE_EARLY 5           // who notifies closes the event before it counts the change
#define COUNT_FIRST 6           // who notifies counts the change before it sets the event
#define NO_RECHECK 7            // who opens an event does not read `changes` again
#define LATE_OPEN 8             // the event is opened after the look, not before
#define NO_COUNT 9              // who is woken by an event leaves it to the one who set it to count the change
#define SILENT_LEAVER 10        // a leaver does not notify
#define LEAVERS_WATCH 11        // a copy relies on leavers to watch others
#define COUNT_UNSET 12          // who notifies counts the change although it could not set the event
#ifndef MUTANT
#define MUTANT 0
#endif

#define NONE 255
#define me _pid
#define when(condition, action) if :: condition -> action :: else fi

// The table. An identity is the number of a start: no process is taken for an earlier one.
mtype = { FREE, RUNNING, NOTIFYING, LEAVING };
mtype mark[SLOTS] = FREE;
byte who[SLOTS];
byte changes;

bit is_set[EVENTS];           // the event of each value of `changes`
byte waiting[COPIES] = NONE;  // handles of events: the one that a copy waits for,
byte opened[COPIES] = NONE;   // and the one that it has just opened

mtype = { AWAKE, READY, ASLEEP };
mtype state[COPIES] = AWAKE;
bit running[COPIES];
bit is_stopped[COPIES];
bit in_flight[COPIES];  // joins or leaves: may be shown or not if it is stopped there
bit has_left[COPIES];   // has notified all that it leaves, and is busy with its last line, however long that takes
byte id[COPIES];
byte slot[COPIES];
byte watched[COPIES];  // a set of identities: handles of their processes
byte shown[COPIES];
byte alive;            // a set of identities
byte started, kills, stops, leaves;
#if MUTANT == COUNT_UNSET
byte unset;
#endif

mtype = { SIGKILL, SIGSTOP };  // TerminateProcess, SuspendThread
chan signal = [0] of { byte, mtype };

hidden byte count, rank, step, other, next_watched;  // only used within a step

#define has(set, n) (((set) >> (n)) & 1)

// Events ----------------------------------------------------------------------------------------------------

#define is_held_by(p, g) (waiting[p] == g || opened[p] == g)
#define is_held(g) (is_held_by(0, g) || is_held_by(1, g) || is_held_by(2, g))

inline close(handle) {  // the system removes an event with its last handle
  other = handle; handle = NONE;
  if
  :: other != NONE && !is_held(other) -> is_set[other] = 0
  :: else
  fi;
  other = 0
}

inline count_change(from) { d_step { when(changes == from, changes++; assert(changes < EVENTS - 1)) } }

inline open() {  // NextChange::NextChange()
  do
  :: seen = changes;
     opened[me] = seen;
#if MUTANT == NO_RECHECK
     break
#else
     if
     :: changes == seen -> break
     :: d_step { changes != seen -> close(opened[me]) }
     fi
#endif
  od;
  skip  // no d_step may be jumped into
}

inline notify() {  // NextChange::notify()
  open();
#if MUTANT == COUNT_FIRST
  count_change(seen);
  d_step { is_set[seen] = 1 };
#elif MUTANT == COUNT_UNSET
  if
  :: d_step { unset == 0 -> unset = 1 }
  :: d_step { is_set[seen] = 1 }
  fi;
  count_change(seen);
#elif MUTANT == CLOSE_EARLY
  d_step { is_set[seen] = 1 };
  d_step { close(opened[me]) };
  count_change(seen);
#else
  d_step { is_set[seen] = 1 };
  count_change(seen);
#endif
  d_step { when(opened[me] != NONE, close(opened[me])); seen = 0 }
}

// Joining ---------------------------------------------------------------------------------------------------

#define can_take(i) (mark[i] == FREE)
#ifdef ANY_SLOT
#define may_take(i, lower) can_take(i)
#else
#define may_take(i, lower) (can_take(i) && !(lower))
#endif

inline claim() {
  if
  :: can_take(0) -> slot[me] = 0
  :: may_take(1, can_take(0)) -> slot[me] = 1
  :: may_take(2, can_take(0) || can_take(1)) -> slot[me] = 2
  :: may_take(3, can_take(0) || can_take(1) || can_take(2)) -> slot[me] = 3
  fi;
  who[slot[me]] = id[me]; mark[slot[me]] = NOTIFYING
}

inline join() {
  atomic { claim() };
#if MUTANT != SILENT_JOINER
  notify();
#endif
  d_step { mark[slot[me]] = RUNNING; in_flight[me] = 0 }
}

// Looking ---------------------------------------------------------------------------------------------------

#define is_in_use(i) (mark[i] != FREE)
#define is_counted(i) (mark[i] == RUNNING || mark[i] == NOTIFYING)
#define is_to_be_watched(i) (rank < REACH || (mark[i] == NOTIFYING && MUTANT != NOTIFYING_UNWATCHED))

inline look_at(i) {
  when(is_counted(i), count++);
  if
  :: is_to_be_watched(i) && has(alive, who[i]) -> next_watched = next_watched | (1 << who[i])
  :: is_to_be_watched(i) && !has(alive, who[i]) -> ended = ended | (1 << who[i])
  :: else
  fi;
  when(mark[i] != LEAVING || MUTANT == LEAVERS_WATCH, rank++)  // a leaver watches nobody any more
}

inline look() {  // Table::look(), Watch::follow()
  ended = watched[me] & ~alive;  // even if it is in no slot any more
  count = 1; rank = 0; next_watched = 0; step = 1;
  do
  :: step < SLOTS ->
    other = (slot[me] + SLOTS - step) % SLOTS;  // the nearest one below comes first
    when(is_in_use(other), look_at(other));
    step++
  :: else -> break
  od;
  watched[me] = next_watched;
  if
  :: ended == 0 -> shown[me] = count; state[me] = READY
  :: else
  fi;
  count = 0; rank = 0; step = 0; other = 0; next_watched = 0
}

inline take_out() {
  do
  :: step < SLOTS ->
    if
    :: is_in_use(step) && has(ended, who[step]) ->
      mark[step] = FREE; who[step] = 0
    :: else
    fi;
    step++
  :: else -> break
  od;
  ended = (MUTANT == SILENT_WITNESS -> 0 : 1);  // whether to notify
  step = 0
}

// Running ---------------------------------------------------------------------------------------------------

#define anybody_watched_has_ended ((watched[me] & ~alive) != 0)
#define is_notified (is_set[waiting[me]])

inline begin_look() {
  open();
  d_step { seen = 0; close(waiting[me]); waiting[me] = opened[me]; opened[me] = NONE }
}

inline wake() { state[me] = AWAKE; shown[me] = 0 }

inline stay() {
  do
#if MUTANT != LATE_OPEN
  :: begin_look();
     d_step { look() };
#else
  :: d_step { look() };
     begin_look();
#endif
     if
     :: atomic { ended != 0 -> take_out() };
        if
        :: atomic { ended != 0 -> ended = 0 }; notify()
        :: atomic { ended == 0 }
        fi
     :: atomic { ended == 0 -> state[me] = ASLEEP };  // WaitForMultipleObjects()
        if
        :: atomic { is_notified -> wake() };
#if MUTANT != NO_COUNT
           count_change(waiting[me])
#endif
        :: atomic { !is_notified && anybody_watched_has_ended -> wake() }
        :: atomic { leaves < LEAVES && !is_notified && !anybody_watched_has_ended ->
             leaves++; wake(); in_flight[me] = 1; watched[me] = 0; close(waiting[me]); break }  // it waits no more
        fi
     fi
  od
}

inline leave() {
#if MUTANT == LEAVER_FREES
  d_step { mark[slot[me]] = FREE; who[slot[me]] = 0 };
  notify()
#else
  d_step { mark[slot[me]] = LEAVING };
#if MUTANT != SILENT_LEAVER
  notify();
#endif
#endif
  d_step { in_flight[me] = 0; has_left[me] = 1 };
  skip
}

// One copy is like another: of those that do not run, let the first one start.
#define is_next (!running[me] && (me < 1 || running[0]) && (me < 2 || running[1]))
#define may_start (started < STARTS && is_next)

inline end_process() {  // the system closes its handles, and then its own is signalled
  close(waiting[me]); close(opened[me]);
  alive = alive & ~(1 << id[me]);
  wake(); watched[me] = 0; id[me] = 0; slot[me] = 0; running[me] = 0; in_flight[me] = 0; has_left[me] = 0;
  is_stopped[me] = 0;
  seen = 0; ended = 0
}

active [COPIES] proctype copy() {
  byte seen;  // that it has read
  byte ended;       // a set of identities: who has ended, and all are to be notified of it
end:
  do
  :: d_step {
       may_start -> started++; running[me] = 1; in_flight[me] = 1; id[me] = started; alive = alive | (1 << started)
     };
     {
       join();
       stay();
       leave()
     } unless {
       if
       :: atomic { signal ? eval(me), SIGKILL -> kills++ }
       :: atomic { signal ? eval(me), SIGSTOP -> stops++; is_stopped[me] = 1 };
          atomic { signal ? eval(me), SIGKILL -> kills++ }
       fi
     };
     d_step { end_process() }
  od
}

// What must hold --------------------------------------------------------------------------------------------

// A copy that is stopped while it joins or leaves may be shown or not; one that has notified all that it leaves may not,
// whatever it does then.
#define is_live(p) (running[p] && !has_left[p] && !(in_flight[p] && is_stopped[p]))
#define live (is_live(0) + is_live(1) + is_live(2))
#define unsure(p) (running[p] && in_flight[p] && is_stopped[p])
#define rests(p) (!running[p] || is_stopped[p] || has_left[p] || (state[p] == ASLEEP && !wakes(p)))
#define wakes(p) (is_set[waiting[p]] || (watched[p] & ~alive) != 0)

inline check(p) {
  when(state[p] == ASLEEP && !is_stopped[p],
       assert(live <= shown[p] && shown[p] <= live + unsure(0) + unsure(1) + unsure(2)))
}

#define if_any_left(n, limit, p) ((n) < (limit) -> (p) : NONE)

active proctype everybody_else() {
end:
  do
  :: signal ! if_any_left(kills, KILLS && leaves >= KILL_AFTER, 0), SIGKILL
  :: signal ! if_any_left(kills, KILLS && leaves >= KILL_AFTER, 1), SIGKILL
  :: signal ! if_any_left(kills, KILLS && leaves >= KILL_AFTER, 2), SIGKILL
  :: signal ! if_any_left(stops, STOPS, 0), SIGSTOP
  :: signal ! if_any_left(stops, STOPS, 1), SIGSTOP
  :: signal ! if_any_left(stops, STOPS, 2), SIGSTOP
#ifndef LIVELOCK  // this is a circle
  :: d_step { rests(0) && rests(1) && rests(2) -> check(0); check(1); check(2) }
#endif
  od
}
