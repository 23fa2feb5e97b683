// Every interleaving of how copies join and leave: membership.cpp, segment.cpp, table.cpp, display.cpp and lookout.cpp
// as a model for Spin. It begins here; system.pml is what it stands on.
//
//   spin -a membership.pml && cc -O2 -DSAFETY -DCOLLAPSE -DNOREDUCE -o pan pan.c && ./pan -m100000
//
// and to see whether it can go round in circles for ever:
//
//   spin -a -DLIVELOCK membership.pml && cc -O2 -DNP -DCOLLAPSE -DNOREDUCE -o pan pan.c && ./pan -l -m100000
//
// It looks for a copy that shows a wrong count, a copy in a segment that is removed though nobody has called
// ipcrm, a segment that is left behind, and a wait that never ends: a state with no way out. -DMUTANT=… takes
// one step of the protocol away, and it must find one of these. Then `./pan -r -v` tells how it came about.
//
// The steps carry the names of the functions that they model. One step here is one step there: a
// compare-and-swap, a read of a shared word, a system call; what a copy does with what it has read belongs to
// the step. A copy can be killed before each of them.
//
// What is simpler than the program, and why nothing is lost by it:
// - `changes` is kept as one bit a copy, `asleep`: it still is what the copy has seen. That is all that a wait
//   by value can tell.
// - The two threads of a copy are one process. The one that shows the count changes nothing in the table but
//   to bury the dead, which the other one does as well.
// - The slots are a set. Where in the table a copy stands makes no difference but for a look that goes slot by
//   slot, and the one that decides over the end of a segment takes them in any order. The other looks are one
//   step, and `used`, which only spares them empty slots, is left out: each change of a slot is announced
//   later, so a look that it falls into is repeated.
// - A tombstone is a free slot: the two differ in what people are told.
// - gather_removed() calls all copies at once: what one of them does is nothing to the others.
// - What only the copy itself can feel is one step with what comes before or after it.
// - The article's counter is left out, and --max: a claim and a count, and backing out is leaving.
#define COPIES 3  // that run at once
#ifndef STARTS
#define STARTS 6  // whoever has ended may start again
#endif
#ifndef KILLS
#define KILLS 1  // at any step of any copy
#endif
#ifndef REMOVALS
#define REMOVALS 0  // calls of ipcrm by somebody else
#endif
#ifndef TAKEOVERS
#define TAKEOVERS 0  // waits that run out of patience with a remover that is only slow
#endif
#ifndef INTERRUPTS
#define INTERRUPTS 1  // requests to stop that come while a copy waits for a remover
#endif
#define NO_RETIRING 1        // a leaver does not say that it removes the segment
#define NO_LOOK_AGAIN 2      // a leaver does not look again after it has said so
#define NO_RETRY 3           // a leaver does not wait for what comes of another one's removing it
#define SILENT_REMOVER 4     // a remover that was overtaken does not call those who have joined meanwhile
#define WAIT_BEFORE_CLAIM 5  // a joiner waits for the remover first, and then claims its slot
#define DEAD_REMOVER 6       // a joiner waits for a remover that is dead
#define NO_REMOVED_CHECK 7   // a joiner does not ask last of all whether the segment is removed
#define NOBODY_GATHERS 8     // nobody calls those in removed segments together
#define EARLY_GATHERED 9     // `gathered` is set before that is done, not after
#define LATE_SEEN 10         // `changes` is read after the slots, not before
#define FIRST_BURIER 11      // who sees a death tells the others only if it was the first to bury it
#define EARLY_MOURNED 12     // who sees a death writes down that it has told the others before it has
#ifndef MUTANT
#define MUTANT 0
#endif

#include "system.pml"

// membership.cpp: joining -----------------------------------------------------------------------------------

inline open_or_create() {  // after shmget(): a step that only this copy can feel is one with the step before
  do
  :: atomic { exists(here[me]) -> segment[here[me]].attached = segment[here[me]].attached | bit_of(me); break }
  :: d_step { !exists(here[me]) -> shmget() }  // it was removed and is gone
  od
}

inline claim_slot() { segment[here[me]].slots = segment[here[me]].slots | self }

inline wait_for_remover() {
  do
  :: atomic {
      holder = segment[here[me]].retiring;
      if
      :: holder == 0 || segment[here[me]].removed -> holder = 0; break
      :: else
      fi
    };
    if  // where the program looks every millisecond, the model waits until there is something new to see
    :: atomic { segment[here[me]].retiring != holder || segment[here[me]].removed -> holder = 0 }
    :: d_step {
        !is_alive(holder) && MUTANT != DEAD_REMOVER ->
        compare_exchange(segment[here[me]].retiring, holder, 0);
        holder = 0
      }
    :: atomic {
        takeovers < TAKEOVERS -> takeovers++;
        compare_exchange(segment[here[me]].retiring, holder, 0);
        holder = 0;
        break
      }
    :: atomic { interrupts < INTERRUPTS -> interrupts++; holder = 0; goto leaving }
    fi
  od
}

inline gather_removed() {
  when(segment[0].removed, announce(0));
  when(segment[1].removed, announce(1));
  when(segment[2].removed, announce(2));
  when(segment[3].removed, announce(3));
  when(segment[4].removed, announce(4))
}

inline tell_that_we_joined() {
  when(occupied(here[me]) > attached(here[me]), bury_dead(here[me]));
  announce(here[me])
}

inline join() {
  do
  :: open_or_create();
#if MUTANT == WAIT_BEFORE_CLAIM
    wait_for_remover();
    atomic { claim_slot() };
#else
    atomic { claim_slot() };
    wait_for_remover();
#endif
    if
    :: atomic { !segment[here[me]].removed || MUTANT == NO_REMOVED_CHECK -> break }
    :: d_step {
        segment[here[me]].removed && MUTANT != NO_REMOVED_CHECK ->
        release(here[me]);
        shmdt(here[me], me);
        shmget()
      }
    fi
  od;
  if
  :: d_step { segment[here[me]].gathered -> tell_that_we_joined() }
#if MUTANT == EARLY_GATHERED
  :: d_step { !segment[here[me]].gathered -> segment[here[me]].gathered = 1 };
    d_step { gather_removed() };
#else
  :: d_step { !segment[here[me]].gathered -> when(MUTANT != NOBODY_GATHERS, gather_removed()) };
    segment[here[me]].gathered = 1;
#endif
    d_step { tell_that_we_joined() }
  fi
}

// membership.cpp: leaving -----------------------------------------------------------------------------------

inline leave(s) {
  atomic { release(s) };
  d_step { when(occupied(s) >= attached(s), bury_dead(s)); announce(s) };
  retire(s)
}

inline look_at(s, copy_) { !has(looked, copy_) && !stands_in(s, copy_) -> looked = looked | bit_of(copy_) }
#define finds(s, copy_) (!has(looked, copy_) && stands_in(s, copy_))

inline retire(s) {
  do
  :: atomic { anybody_alive(s) || segment[s].removed -> break }
  :: atomic { !anybody_alive(s) && !segment[s].removed };
    if
    :: d_step {
        segment[s].retiring == 0 ->
        when(MUTANT != NO_RETIRING, segment[s].retiring = identity[me]);
        looked = (MUTANT == NO_LOOK_AGAIN -> 7 : bit_of(me))
      };
      do  // look again
      :: d_step { look_at(s, 0) }
      :: d_step { look_at(s, 1) }
      :: d_step { look_at(s, 2) }
      :: atomic { finds(s, 0) || finds(s, 1) || finds(s, 2) -> looked = 0; break }
      :: atomic { looked == 7 -> IPC_RMID(s); break }
      od;
      if
      :: d_step {
          looked != 0 ->
          looked = 0;
          when(segment[s].retiring != identity[me] && MUTANT != SILENT_REMOVER, announce(s))
        }
      :: d_step { looked == 0 -> compare_exchange(segment[s].retiring, identity[me], 0) }
      fi;
      break
    :: atomic { segment[s].retiring != 0 && MUTANT == NO_RETRY -> break }
    :: atomic { segment[s].retiring != 0 && MUTANT != NO_RETRY -> holder = segment[s].retiring };
      if  // it may have looked before we freed our slot, and leave it to us after all
      :: atomic { segment[s].retiring != holder || segment[s].removed || anybody_alive(s) -> holder = 0 }
      :: d_step { !is_alive(holder) -> compare_exchange(segment[s].retiring, holder, 0); holder = 0 }
      :: d_step {
          takeovers < TAKEOVERS -> takeovers++;
          compare_exchange(segment[s].retiring, holder, 0);
          holder = 0
        }
      fi
    fi
  od
}

// display.cpp, lookout.cpp ----------------------------------------------------------------------------------

inline mourn() {  // after bury(): tells everybody, and only then writes down that it has
#if MUTANT == EARLY_MOURNED
  segment[here[me]].mourned = dead;
  d_step { announce(here[me]); dead = 0; asleep[me] = 1 }
#else
  d_step { announce(here[me]) };
  d_step { segment[here[me]].mourned = dead; dead = 0; asleep[me] = 1 }
#endif
}

inline show_changes() {
  do
  :: if
    :: atomic {
        segment[here[me]].removed ->  // joins again there before it leaves here
        assert(removals > 0 || takeovers > 0);
        is_in[me] = 0; wake(me); old[me] = here[me]; shmget();
        break
      }
    :: d_step {
        !segment[here[me]].removed ->
        waits[me] = 1;
        when(asleep[me] || MUTANT == LATE_SEEN, shown[me] = segment[here[me]].slots)
      }
    fi;
#if MUTANT == LATE_SEEN
    asleep[me] = 1;
#endif
    if  // wait_for_change() in one thread, look_after_the_others() in the other
    :: d_step { !asleep[me] -> waits[me] = 0; asleep[me] = 1 }
    :: d_step { sees_death(me) -> waits[me] = 0; pick(deaths_seen(me), dead); wake(me); bury(here[me], dead) };
      mourn()
    :: atomic { is_in[me] = 0; waits[me] = 0; wake(me); goto leaving }
    fi
  od
}

// One copy is like another: of those that do not run, let the first one start.
#define is_next (identity[me] == 0 && (me < 1 || identity[0] != 0) && (me < 2 || identity[1] != 0))
#define nobody_runs (identity[0] == 0 && identity[1] == 0 && identity[2] == 0)

proctype copy(byte me) {
  byte looked;  // the copies that it has not found at its last look
  byte holder;  // what it has read in `retiring`
  byte dead;    // whom it mourns
end:
  do
  :: d_step { (started < STARTS && is_next) || (started == STARTS && me == 0 && nobody_runs) -> start() };
    {
      do
      :: join();
        if
        :: atomic { old[me] == NONE -> is_in[me] = 1; asleep[me] = 1 }  // seen = changes
        :: old[me] != NONE -> leave(old[me]); atomic { shmdt(old[me], me); is_in[me] = 1; asleep[me] = 1 }
        fi;
        show_changes()
      od;
leaving:
      leave(here[me]);
      if
      :: atomic { old[me] == NONE -> end_life() }
      :: old[me] != NONE -> leave(old[me]); atomic { end_life() }
      fi
    } unless {
      atomic { killed[me] -> end_life() }
    }
  od
}

// Nobody starts, leaves, dies, or is about to join again. What a copy that is in does otherwise is no excuse: it
// may be stopped there for ever.
#define sleeps(p) (waits[p] && asleep[p] && !sees_death(p))
#define is_settled(p) (identity[p] == 0 || (is_in[p] && (sleeps(p) || !segment[here[p]].removed)))

inline check(p) {
  if
  :: sleeps(p) ->
    assert(shown[p] == alive);
    assert((segment[here[p]].slots & alive) == alive);
    assert(key == here[p] || removals > 0 || (takeovers > 0 && kills > 0))
  :: else
  fi
}

#ifndef LIVELOCK  // where every circle is one too many, this one is too
active proctype everybody_shows_the_truth() {
end:
  do
  :: d_step { is_settled(0) && is_settled(1) && is_settled(2) -> check(0); check(1); check(2) }
  :: d_step { nobody_runs -> assert(key == NONE || kills > 0) }
  od
}
#endif

init { atomic { run copy(0); run copy(1); run copy(2) } }
