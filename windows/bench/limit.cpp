// What share_data is measured against: a process that counts nothing, reads no options, and prints a line.
//
// usage: share_data_limit ROLE [EVENTS [NUMBER]]
//   print              print a line
//   wait EVENTS N      print a line each time that an event is set: at first and after every second one, N are live
//   set EVENTS         set the first event, and print a line
//   watch EVENTS PID   print a line, wait for the end of process PID, and set the first event
// The two manual-reset events are called EVENTS-0 and EVENTS-1.
#include <windows.h>

#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

/// As long as the line that share_data writes for the same news.
void print_line(unsigned live) {
  char line[80];
  const auto pid = static_cast<unsigned>(GetCurrentProcessId());
  const int size = std::snprintf(line, sizeof line, "12:34:56.789  [%u]%*c %4u live  + %u\n", pid, pid < 1000 ? 4 : 3,
                                 ' ', live, pid);
  DWORD written = 0;
  WriteFile(GetStdHandle(STD_OUTPUT_HANDLE), line, static_cast<DWORD>(size), &written, nullptr);
}

HANDLE open_event(const std::string& events, unsigned parity) {
  return OpenEventA(SYNCHRONIZE | EVENT_MODIFY_STATE, FALSE, (events + "-" + std::to_string(parity)).c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string role = argc > 1 ? argv[1] : "";
  const std::string events = argc > 2 ? argv[2] : "";
  const auto number = static_cast<unsigned>(argc > 3 ? std::atoi(argv[3]) : 1);
  if (role == "wait") {
    void* const both[] = {open_event(events, 0), open_event(events, 1)};
    for (unsigned i = 0;; ++i) {
      print_line(number + i % 2);
      if (WaitForSingleObject(both[i % 2], INFINITE) != WAIT_OBJECT_0) return 1;
    }
  }
  if (role == "set") SetEvent(open_event(events, 0));
  void* const victim = role == "watch" ? OpenProcess(SYNCHRONIZE, FALSE, number) : nullptr;
  print_line(1);
  if (role == "watch" && WaitForSingleObject(victim, INFINITE) == WAIT_OBJECT_0) SetEvent(open_event(events, 0));
  Sleep(INFINITE);
}
