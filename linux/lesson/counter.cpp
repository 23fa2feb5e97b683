// Counts the running copies of this program as the article does: `++` at the start, `--` at the end.
//
//   g++ -std=c++20 linux/lesson/counter.cpp -o counter && ./counter     # in several terminals; kill -9 one
//
// The killed copy never reaches its `--`. From then on the number is too high, for ever. exact.cpp does better.
#include <err.h>
#include <sys/shm.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>

volatile std::sig_atomic_t interrupted = 0;

int main() {
  std::signal(SIGINT, [](int) { interrupted = 1; });         // Ctrl+C
  const int id = shmget(88, sizeof(int), IPC_CREAT | 0600);  // finds the segment with key 88, or creates it
  if (id == -1) err(1, "shmget");
  void* const address = shmat(id, nullptr, 0);  // from here on, the segment is memory like any other
  if (address == reinterpret_cast<void*>(-1)) err(1, "shmat");
  auto& count = *static_cast<std::atomic<int>*>(address);  // new segments are full of zeros

  ++count;
  for (int shown = 0; interrupted == 0; usleep(10'000)) {  // looks again every 10 ms
    const int now = count;
    if (now != shown) dprintf(STDOUT_FILENO, "[%d] %d live\n", getpid(), now);
    shown = now;
  }
  if (--count == 0) shmctl(id, IPC_RMID, nullptr);  // the last one removes the segment
  shmdt(address);
}
