// Waits for the end of a process, whoever started it, and says so: pidfd PID
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

int main(int count, char** arguments) {
  const int process = count == 2 ? static_cast<int>(syscall(SYS_pidfd_open, std::atoi(arguments[1]), 0)) : -1;
  pollfd end = {process, POLLIN, 0};
  if (process < 0 || poll(&end, 1, -1) != 1) return 1;
  std::printf("%s has ended\n", arguments[1]);
}
