// What a line says of copies that have ended: Table::leave(), Table::has_left() and Display::difference() as a model for
// Spin. Copies use two slots one after the other. Each leaves or is killed, before any step. One copy looks, as slowly
// as it likes: it must not say of one that left that it was killed, nor of one that was killed that it left. It reads what
// it needs for this in one step: what is written to `left` meanwhile changes `left_count`, which is read last.
//
// A copy here is a number, which stands for its TID and its start. The ring `left` has room for 4, not for 1024: three
// copies do not fill it, and Spin has no room for more. What counts a copy, and who wakes whom, is in membership.pml.
#ifndef COPIES
#define COPIES 3
#endif
#define RING 4
#define OWN_WORD 1  // it judges by what the slot's `leaver` holds now
#ifndef MUTANT
#define MUTANT 0
#endif

#define FREE 0
#define MARKED 255
byte owner[2];  // a copy, MARKED or FREE
byte leaver[2];
byte left[RING];
byte left_count;

byte started;
mtype = { RUNS, IS_LEAVING, HAS_LEFT };
mtype fate[COPIES + 1] = RUNS;  // also of those that are killed
bit is_killed[COPIES + 1];

#define self (_pid + 1)
#define is_late (left_count - number > RING / 2)

active [COPIES] proctype copy() {
  byte slot, number, older;
  if
  :: d_step { started == _pid && owner[0] == FREE -> started++; slot = 0; leaver[0] = FREE; owner[0] = self }
  :: d_step { started == _pid && owner[1] == FREE -> started++; slot = 1; leaver[1] = FREE; owner[1] = self }
  fi;
  {
    do
    :: atomic { fate[self] = IS_LEAVING; number = left_count; left_count++ };
      older = left[number % RING];
      if
      :: d_step { is_late }
      :: d_step { !is_late };
        if
        :: d_step { left[number % RING] == older -> left[number % RING] = self };
          leaver[slot] = self;
          if
          :: atomic { !is_late -> fate[self] = HAS_LEFT; break }
          :: else
          fi
        :: else
        fi
      fi
    od
  } unless { is_killed[self] };
  atomic { owner[slot] = MARKED; slot = 0; number = 0; older = 0 }
}

active proctype everybody_else() {
end:
  do
  :: d_step { owner[0] == MARKED -> owner[0] = FREE }
  :: d_step { owner[1] == MARKED -> owner[1] = FREE }
  :: d_step { owner[0] != MARKED && owner[0] != FREE -> is_killed[owner[0]] = 1 }
  :: d_step { owner[1] != MARKED && owner[1] != FREE -> is_killed[owner[1]] = 1 }
  od
}

#define counted ((owner[0] == MARKED || owner[0] == leaver[0]) -> FREE : owner[0])
#define is_in_ring(copy) (left[0] == copy || left[1] == copy || left[2] == copy || left[3] == copy)

// It looks at slot 0 only. The other one is for copies that leave meanwhile.
active proctype looker() {
  byte seen;   // the copy at the look before
  byte ended;  // that copy, if it is missing now
  byte left_seen, left_before;
  bit says_left;
end:
  do
  :: atomic { left_before = left_seen; left_seen = left_count };
    atomic { ended = (seen == counted -> FREE : seen); seen = counted };
    atomic {
      if
      :: ended == FREE
      :: else ->
        says_left = (MUTANT == OWN_WORD || owner[0] == ended) && leaver[0] == ended;
        says_left = says_left || (MUTANT != OWN_WORD && is_in_ring(ended));
        assert(!(says_left && fate[ended] == RUNS));
        assert(says_left || fate[ended] != HAS_LEFT || (left_count - left_before > RING / 2));
        ended = FREE; says_left = 0
      fi
    }
  od
}
