// `helper PID EVENT` sends a console event, 0 for Ctrl+C or 1 for Ctrl+Break, to all processes in the console of PID.
// With more arguments it stands in for Windows Terminal, and writes its command line into a file beside itself.
#include <windows.h>

#include <cstdlib>
#include <fstream>
#include <string>

int main(int count, char** arguments) {
  if (count > 3) {
    std::ofstream{std::string{arguments[0]} + ".txt"} << GetCommandLineA();
    return 0;
  }
  FreeConsole();
  if (AttachConsole(static_cast<DWORD>(std::atoi(arguments[1]))) == 0) return 1;
  SetConsoleCtrlHandler([](DWORD) -> BOOL { return TRUE; }, TRUE);
  return GenerateConsoleCtrlEvent(static_cast<DWORD>(std::atoi(arguments[2])), 0) != 0 ? 0 : 1;
}
