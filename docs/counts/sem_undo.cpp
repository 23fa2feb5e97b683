// Adds 1 to a semaphore, and shows what it says then. The kernel takes the 1 back when this process ends.
#include <sys/sem.h>
#include <unistd.h>

#include <cstdio>

int main(int, char** arguments) {
  const int set = semget(ftok(arguments[0], 1), 1, IPC_CREAT | 0600);
  sembuf add_one = {0, 1, SEM_UNDO};
  if (semop(set, &add_one, 1) != 0) return 1;
  std::printf("[%d] semaphore set %d says %d\n", getpid(), set, semctl(set, 0, GETVAL));
  std::fflush(stdout);
  pause();
}
