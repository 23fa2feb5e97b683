// A child locks a mutex in shared memory and is killed. Its parent, who wants the mutex, is told.
#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>

int main() {
  void* const memory =
      mmap(nullptr, sizeof(pthread_mutex_t), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  auto* const mutex = static_cast<pthread_mutex_t*>(memory);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(mutex, &attributes);
  if (fork() == 0) {
    pthread_mutex_lock(mutex);
    kill(getpid(), SIGKILL);
  }
  wait(nullptr);
  std::puts(pthread_mutex_lock(mutex) == EOWNERDEAD ? "EOWNERDEAD: its owner has died" : "nobody has died");
}
