// Sends the console event that is its argument, 0 for Ctrl+C or 1 for Ctrl+Break, to all processes in its console. In
// place of a program that would do something, it writes its command line into the file that COMMAND_LINE_FILE names.
#include <windows.h>

#include <cstdlib>
#include <fstream>

int main(int /*count*/, char** arguments) {
  if (const char* const file = std::getenv("COMMAND_LINE_FILE")) {
    std::ofstream{file} << GetCommandLineA();
    return 0;
  }
  SetConsoleCtrlHandler([](DWORD) -> BOOL { return TRUE; }, TRUE);
  return GenerateConsoleCtrlEvent(static_cast<DWORD>(std::atoi(arguments[1])), 0) != 0 ? 0 : 1;
}
