// The way of the article that share_data grew out of, reconstructed from its description: the count is a text of at
// most five bytes under a key of its own, changed without atomics, and every copy polls it every 10 ms.
//
// usage: share_data_article_way KEY
#include <sys/ipc.h>
#include <sys/shm.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

constexpr std::size_t text_size = 5;
constexpr useconds_t poll_interval_us = 10'000;
volatile std::sig_atomic_t stopped = 0;

void add(char* text, int difference) {
  char changed[16];
  std::snprintf(changed, sizeof changed, "%d", std::atoi(text) + difference);
  std::memcpy(text, changed, text_size);
}

void show(int count) {
  char line[64];
  const int size = std::snprintf(line, sizeof line, "[%d] %d live\n", getpid(), count);
  if (write(STDOUT_FILENO, line, static_cast<std::size_t>(size)) < 0) stopped = 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  std::signal(SIGTERM, [](int) { stopped = 1; });
  const int id = shmget(static_cast<key_t>(std::strtol(argv[1], nullptr, 0)), text_size, IPC_CREAT | 0600);
  char* const text = static_cast<char*>(shmat(id, nullptr, 0));
  if (text == reinterpret_cast<char*>(-1)) return 1;
  add(text, 1);
  for (int shown = -1; stopped == 0; usleep(poll_interval_us)) {
    const int count = std::atoi(text);
    if (count == shown) continue;
    shown = count;
    show(count);
  }
  add(text, -1);
  shmdt(text);
}
