// Sends the console event that is its argument, 0 for Ctrl+C or 1 for Ctrl+Break, to all processes in its
// console.
#include <windows.h>

#include <cstdlib>

int main(int argc, char** argv) {
  const auto ignore = [](DWORD) -> BOOL { return TRUE; };
  SetConsoleCtrlHandler(ignore, TRUE);
  return argc == 2 && GenerateConsoleCtrlEvent(static_cast<DWORD>(std::atoi(argv[1])), 0) != 0 ? 0 : 1;
}
