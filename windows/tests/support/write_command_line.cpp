// Writes its command line into the file that COMMAND_LINE_FILE names, in place of a program that would do something.
#include <windows.h>

#include <cstdlib>
#include <fstream>

int main() { std::ofstream{std::getenv("COMMAND_LINE_FILE")} << GetCommandLineA(); }
