// Counts the running copies of this program, 100 at most, and stays right after kill -9. Needs Linux 5.16.
//
//   g++ -std=c++20 linux/lesson/exact.cpp -o exact && ./exact     # in several terminals; then kill -9 one of them
//
// counter.cpp goes wrong because a killed copy never reaches its `--`. Here a copy has nothing to do in order to leave:
// it has a word in the shared memory, and the kernel marks this word when the copy ends, however it ends.
#include <err.h>
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <vector>

using Word = std::atomic<std::uint32_t>;
struct Table {       // what lies in the shared memory; all zeros at first
  Word changes;      // goes up with every change; the count is not stored
  Word owners[100];  // a slot for each copy. 0: free. TID|WAITERS: running. WAITERS|OWNER_DIED: marked
};
constexpr std::uint32_t marked = FUTEX_WAITERS | FUTEX_OWNER_DIED;  // by the kernel: the copy of this slot has ended

// To notify: change `changes`, and wake every copy that waits for that.
void notify(Table& table) {
  ++table.changes;
  syscall(SYS_futex, &table.changes, FUTEX_WAKE, 100, nullptr, nullptr, 0);
}

// Asks the kernel to mark `owner` when this process ends. The kernel takes a list of words, the robust list. Ours has
// one node, and `futex_offset` leads from the node to the word. The list lies in a shared mapping, because the kernel
// may free private memory before it reads the list.
void let_kernel_mark(const Word& owner) {
  static void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) err(1, "mmap");
  auto* const head = static_cast<robust_list_head*>(page);
  auto* const node = reinterpret_cast<robust_list*>(head + 1);
  head->list.next = node;
  node->next = &head->list;  // the last node leads back to the head
  head->futex_offset = reinterpret_cast<const char*>(&owner) - reinterpret_cast<const char*>(node);
  if (syscall(SYS_set_robust_list, head, sizeof *head) != 0) err(1, "set_robust_list");
}

// Takes a slot that is free or marked, by compare-and-swap: of two copies that try the same slot, one succeeds. The
// kernel leaves a word alone unless it holds our TID. So we can give it the list before the swap, and miss no kill.
void join(Table& table, std::uint32_t tid) {
  for (Word& owner : table.owners) {
    std::uint32_t expected = owner;
    if (expected != 0 && expected != marked) continue;
    let_kernel_mark(owner);
    if (owner.compare_exchange_strong(expected, tid | FUTEX_WAITERS)) return notify(table);
  }
  errx(1, "the table is full: 100 copies are running");
}

// Frees a marked slot. It notifies first: if this copy is killed before the swap, the mark is still there for the next
// copy that looks. And once more: if this copy was slow, it may have removed the mark of a later user of the slot.
void free_slot(Table& table, Word& owner) {
  std::uint32_t expected = marked;
  notify(table);
  if (owner.compare_exchange_strong(expected, 0)) notify(table);
}

// Reads a word, and keeps it together with its value in the form in which futex_waitv wants them.
futex_waitv look_at(const Word& word) { return {word, reinterpret_cast<std::uintptr_t>(&word), FUTEX_32, 0}; }

int main() {
  const int id = shmget(89, sizeof(Table), IPC_CREAT | 0600);
  if (id == -1) err(1, "shmget");
  void* const address = shmat(id, nullptr, 0);
  if (address == reinterpret_cast<void*>(-1)) err(1, "shmat");
  Table& table = *static_cast<Table*>(address);
  join(table, static_cast<std::uint32_t>(gettid()));
  for (int live = 0, shown = 0;; shown = live, live = 0) {
    // Look at all words, and keep their values. A change that comes after this is noticed below.
    std::vector<futex_waitv> seen{look_at(table.changes)};
    for (Word& owner : table.owners) {
      seen.push_back(look_at(owner));
      if (seen.back().val == marked) free_slot(table, owner);
      if (seen.back().val != marked && seen.back().val != 0) ++live;
    }
    if (live != shown) dprintf(STDOUT_FILENO, "[%d] %d live\n", gettid(), live);
    // Sleep until the kernel wakes us for one of these words. If one has a different value by now, return at once.
    const long woken = syscall(SYS_futex_waitv, seen.data(), seen.size(), 0, nullptr, 0);
    if (woken == -1 && errno != EAGAIN && errno != EINTR) err(1, "futex_waitv");
  }
}
