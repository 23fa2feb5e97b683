// ipcrm ID: removes a shared memory segment. For kernels that are booted with busybox alone, which has no ipcrm.
#include <sys/shm.h>

#include <cstdlib>

int main(int argc, char** argv) { return argc == 2 && shmctl(std::atoi(argv[1]), IPC_RMID, nullptr) == 0 ? 0 : 1; }
