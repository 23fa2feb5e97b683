// Every interleaving of how copies join, look, wait, leave, die and are stopped: membership.cpp and table.cpp as a
// model for Spin. It begins here; system.pml is what it stands on.
//
//   spin -a membership.pml && cc -O2 -DSAFETY -DNOREDUCE -o pan pan.c && ./pan -m100000
//
// and to see whether copies can keep each other busy without end:
//
//   spin -a -DLIVELOCK membership.pml && cc -O2 -DNP -DNOREDUCE -o pan pan.c && ./pan -l -m100000
//
// It looks for a copy that sleeps and shows a wrong count, for one that sleeps in a segment that is removed, for a
// segment that is left behind, and for a state with no way out. -DMUTANT=… takes one step of the protocol away,
// and it must find one of these. Then `spin -t -p membership.pml` tells how it came about.
//
// One step here is one step there: a system call, or a read or write of a shared word. What a copy does with what
// it has read belongs to the step. A copy can be killed or stopped before each step.
//
// What is simpler than the program, and why nothing is lost by it:
// - `changes` is not kept, only what a change of it means to each copy: during its look, the bit `changed` says that
//   it has to look again; between its look and its wait, it is awake, because futex_waitv() would return at once.
// - A slot has 2 words that the kernel marks, not 4: one for each of the other two copies. One copy can be stopped
//   here, and takes one wake with it.
// - A joiner clears `leaver` and writes the alarm word in the step of the claim: nobody reads them before WAITERS is
//   set. When the owner of a slot has ended, `leaver` becomes 0 at once: nobody reads it any more.
// - A marked alarm word is 0, not GONE (which the program calls marked): it is only ever compared with a TID.
// - A copy that sleeps does not keep the values of the words that it waits on: the kernel has compared them.
// - All words are read in one step. If one changes during a look, either it is watched, and the wait ends at once;
//   or its notification comes afterwards, and the look is repeated.
// - A TID may be used again at once, which is more than the kernel does.
// - shmget() and shmat() are one step: if the segment is removed in between, the joiner gets there, or to the next
//   one. The end of a process and its detaching are one too: nothing depends on who is attached.
// - A joiner notifies those in all removed segments in the same step: what one of them does is nothing to the others.
// - The words that a look has found GONE are freed in one step: all copies have been notified of all of them.
// - A joiner takes the lowest free slot. Which one it is matters only to who watches whom; -DANY_SLOT tries them
//   all. Only the first slot of an empty ring is always slot 0: a ring looks the same from everywhere.
// - A stop request is obeyed between two looks, whether the copy sleeps or has been woken.
// - Garbage in the table, TIDs of other PID namespaces, --max and the article's counter are left out.
//
// What is left out and could make a difference: futex_waitv() is one step here, but queues on one word after
// another. A copy that is stopped in just this system call may take a wake with it that another one needs, if
// somebody has joined since it looked.
#define COPIES 3  // that run at once
#define SLOTS 4   // enough: a copy that finds none free is stuck, which would be found
#ifndef STARTS
#define STARTS 3  // whoever has ended may start again
#endif
#ifndef KILLS
#define KILLS 1  // at any step of any copy
#endif
#ifndef STOPS
#define STOPS 0  // SIGSTOP, at any step of any copy, and never SIGCONT
#endif
#ifndef REMOVALS
#define REMOVALS 0  // calls of ipcrm by somebody else
#endif
#ifndef LEAVES
#define LEAVES 1  // 0: no copy ends by itself
#endif
#ifndef REACH
#define REACH 2  // how many of the others a copy watches
#endif
#define SILENT_JOINER 1       // a joiner does not notify
#define SILENT_WITNESS 2      // a copy that sees a mark frees the slot, but does not notify
#define WAKE_ONLY 3           // `changes` is not incremented when all are woken
#define LATE_SEEN 4           // `changes` is read after the words, not before
#define NEW_UNWATCHED 5    // a word that says "not all copies have been notified" is watched no more than others
#define NEW_ON_OWNER 6     // such a word is watched by all on the owner word
#define EARLY_SHOWN 7         // WAITERS is set before the alarm words are written
#define ONE_WORD 8            // everybody watches the owner word
#define LEAVERS_UNWATCHED 9   // a copy that says that it leaves is not watched
#define LEAVERS_COUNTED 10    // one that leaves counts those that leave as well until they are gone
#define STALE_NOTE 11         // a joiner does not clear what the last owner of the slot wrote to `leaver`
#define LATE_NODE 12          // the robust list points at the word only after it is counted
#define BLIND_FREE 13         // a word is freed by a store, not by a compare-and-swap
#define NO_REMOVED_CHECK 14   // nobody asks whether the segment is removed
#define NO_GATHERING 15       // nobody calls those in removed segments together
#define LATE_GATHERING 16     // a joiner does so after it has claimed its word
#define SILENT_LEAVER 17      // a copy that leaves does not notify the others
#ifndef MUTANT
#define MUTANT 0
#endif

#include "system.pml"

// Notifying ---------------------------------------------------------------------------------------------------

inline notify() {
  d_step { when(MUTANT != WAKE_ONLY, change(here[me])) };
  d_step { wake_all(here[me]) }
}

// Joining ---------------------------------------------------------------------------------------------------

inline gather() {  // notifies the copies in removed segments
  d_step { change_removed() };
  d_step { wake_all_removed() }
}

#ifdef ANY_SLOT
#define may_take(i, lower_one_is_free) (is_free(i) && !is_empty)
#else
#define may_take(i, lower_one_is_free) (is_free(i) && !(lower_one_is_free))
#endif

inline claim() {
  if
  :: is_free(0) -> slot[me] = 0
  :: may_take(1, is_free(0)) -> slot[me] = 1
  :: may_take(2, is_free(0) || is_free(1)) -> slot[me] = 2
  :: may_take(3, is_free(0) || is_free(1) || is_free(2)) -> slot[me] = 3
  fi;
  own_word = tid(me) | OWNER_DIED;
  when(MUTANT != STALE_NOTE, own_leaver = 0);
  when(MUTANT != EARLY_SHOWN, own_alarm = tid(me));
  when(MUTANT != LATE_NODE, node[me] = here[me])  // points at it before, which only this copy can feel
}

inline join() {
#if MUTANT != NO_GATHERING && MUTANT != LATE_GATHERING
  gather();
#endif
  do  // a copy that joins again gives up the protection of its old word before it claims a new one
  :: d_step { node[me] != NONE -> node[me] = NONE; old_slot[me] = slot[me]; slot[me] = 0 }
  :: atomic { node[me] == NONE -> claim(); break }
  od;
#if MUTANT == LATE_GATHERING
  gather();
#endif
  own_word = tid(me) | WAITERS | OWNER_DIED;
#if MUTANT == EARLY_SHOWN
  own_alarm = tid(me);
#endif
#if MUTANT == LATE_NODE
  node[me] = here[me];
#endif
#if MUTANT != SILENT_JOINER
  notify();
#endif
  d_step { own_word = tid(me) | WAITERS; has_notified[me] = STOPS > 0 }
}

// Looking ---------------------------------------------------------------------------------------------------

#define word_of(i) segment[here[me]].word[i]
#define is_new(i) ((word_of(i) & OWNER_DIED) != 0)
#define is_watched(i) \
  ((rank < REACH && (is_counted(here[me], i) || MUTANT != LEAVERS_UNWATCHED)) || \
   (is_new(i) && MUTANT != NEW_UNWATCHED))
#define waits_on_alarm(i) \
  (rank % 2 == 1 && word_of(alarm_of(i)) == tid_of(word_of(i)) && MUTANT != ONE_WORD && \
   !(is_new(i) && MUTANT == NEW_ON_OWNER))

inline look_at(i) {  // a word with a TID
  if
  :: has_joined(word_of(i)) ->  // if not, it has not notified yet: whoever looks now will look again
    when(is_counted(here[me], i), count++);
    if
    :: is_watched(i) && waits_on_alarm(i) -> watched[me].word[alarm_of(i)] = word_of(alarm_of(i))
    :: is_watched(i) && !waits_on_alarm(i) -> watched[me].word[i] = word_of(i)
    :: else
    fi
  :: else
  fi;
  rank++
}

inline look() {
  count = 1; rank = 0; step = 1;
  do
  :: step < SLOTS ->
    other = (slot[me] + SLOTS - step) % SLOTS;  // the nearest one below comes first
    if
    :: word_of(other) == GONE -> gone = gone | (1 << other)
    :: word_of(other) > GONE -> look_at(other)
    :: else
    fi;
    step++
  :: else -> break
  od;
  if
  :: gone == 0 && (!changed[me] || MUTANT == LATE_SEEN) -> shown[me] = count; state[me] = READY; changed[me] = 0
  :: else -> wake(me)
  fi;
  count = 0; rank = 0; step = 0; other = 0
}

inline free_gone() {
  do
  :: step < SLOTS ->
    when(has(gone, step) && (word_of(step) == GONE || MUTANT == BLIND_FREE), word_of(step) = FREE);
    step++
  :: else -> break
  od;
  step = 0; gone = 0
}

// Running ---------------------------------------------------------------------------------------------------

#define has_nothing_to_do (old[me] == NONE && gone == 0)

inline stay() {  // until the segment is removed, or it leaves
  do
  :: d_step { old[me] != NONE -> segment[old[me]].word[old_slot[me]] = FREE; old_slot[me] = 0; shmdt(old[me]) }
  :: atomic {
      has_nothing_to_do && (state[me] == AWAKE || (state[me] == READY && differs(me))) ->
      wake(me);
      if
      :: segment[here[me]].removed && MUTANT != NO_REMOVED_CHECK ->
        has_notified[me] = 0; old[me] = here[me]; attach();
        break
      :: else -> state[me] = LOOKING  // seen = changes
      fi
    };
    d_step { look() }
#if MUTANT == SILENT_WITNESS
  :: d_step { gone != 0 -> free_gone() }
#else
  :: gone != 0 -> notify(); d_step { free_gone() }
#endif
  :: d_step { state[me] == READY && !differs(me) -> fall_asleep() }  // futex_waitv()
  :: d_step {
      LEAVES && has_nothing_to_do && state[me] != LOOKING -> own_leaver = tid(me); wake(me); has_notified[me] = 0
    };
    if
    :: atomic { anybody_is_counted }
    :: atomic { !anybody_is_counted }; d_step { IPC_RMID(here[me]) }
    fi;
#if MUTANT != SILENT_LEAVER
    notify();  // after the removal, for a copy that has just joined in the removed segment must move
#endif
    state[me] = PRINTING;  // for as long as the reader of its last line likes
    goto ending
  od
}

// One copy is like another: of those that do not run, let the first one start. The last start of all is to find
// what the killed have left.
#define is_next (!running[me] && (me < 1 || running[0]) && (me < 2 || running[1]))
#define nobody_runs (!running[0] && !running[1] && !running[2])
#define may_start ((started < STARTS && is_next) || (started == STARTS && me == 0 && nobody_runs))

active [COPIES] proctype copy() {
  byte gone;  // the slots whose owners it has found gone
end:
  do
  :: d_step { may_start -> started++; running[me] = 1; attach() };
    {
      do
      :: join();
        stay()
      od
    } unless {
      if
      :: atomic { signal ? eval(me), SIGKILL -> kills++; wake(me) }
      :: atomic { signal ? eval(me), SIGSTOP -> stops++; is_stopped[me] = 1; wake(me) };
        atomic { signal ? eval(me), SIGKILL -> kills++; is_stopped[me] = 0 }
      fi
    };
ending:
    atomic { wake(me); mark(node[me], slot[me]) };
    atomic { mark(node[me], alarm_of(slot[me])); exit() }
  od
}

// What must hold --------------------------------------------------------------------------------------------

// A copy that is stopped while it joins or leaves may be shown or not.
#define is_in_flight(p) (is_stopped[p] && !has_notified[p])
#define in_flight (is_in_flight(0) + is_in_flight(1) + is_in_flight(2))
#define is_live(p) (running[p] && state[p] != PRINTING)
#define is_in(p, s) (is_live(p) && here[p] == s && !is_in_flight(p))
#define live_in(s) (is_in(0, s) + is_in(1, s) + is_in(2, s))
#define live (is_live(0) + is_live(1) + is_live(2))
#define rests(p) (!is_live(p) || state[p] == ASLEEP || is_stopped[p])

inline check(p) {
  if
  :: state[p] == ASLEEP ->
    assert(live_in(here[p]) <= shown[p] && shown[p] <= live_in(here[p]) + in_flight);
    assert(shown[p] == live || removals > 0 || stops > 0);
    // A copy that leaves can be stopped between removing the segment and notifying a copy that has just joined there.
    assert(!segment[here[p]].removed || (removals + stops > 0 && (key == NONE || !any_slot(is_taken, key))))
  :: else
  fi
}

#define if_any_left(n, limit, p) ((n) < (limit) && started <= STARTS -> (p) : NONE)

active proctype everybody_else() {
end:
  do
  :: signal ! if_any_left(kills, KILLS, 0), SIGKILL
  :: signal ! if_any_left(kills, KILLS, 1), SIGKILL
  :: signal ! if_any_left(kills, KILLS, 2), SIGKILL
  :: signal ! if_any_left(stops, STOPS, 0), SIGSTOP
  :: signal ! if_any_left(stops, STOPS, 1), SIGSTOP
  :: signal ! if_any_left(stops, STOPS, 2), SIGSTOP
  :: d_step { removals < REMOVALS && key != NONE -> removals++; other = key; IPC_RMID(other); other = 0 }
#ifndef LIVELOCK  // these two are circles
  :: d_step { rests(0) && rests(1) && rests(2) -> check(0); check(1); check(2) }
  :: d_step { nobody_runs -> assert(key == NONE || kills > 0) }
#endif
  od
}
