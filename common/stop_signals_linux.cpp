#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <system_error>

#include "stop_signals.h"

namespace share_data {
namespace {

constexpr std::array stop_signals{SIGINT, SIGTERM, SIGHUP, SIGQUIT};

sigset_t stop_set() {
  sigset_t set{};
  sigemptyset(&set);
  for (const int signal : stop_signals) sigaddset(&set, signal);
  return set;
}

void set_disposition(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  sigaction(signal, &action, nullptr);
}

}  // namespace

// The signals stay blocked and are read as a file descriptor, so no handler ever runs in the middle of
// something (signalfd(2)). The descriptor is never read: once ready, it stays ready.
StopSignals::StopSignals() {
  set_disposition(SIGPIPE, SIG_IGN);
  const sigset_t set = stop_set();
  if (const int error = pthread_sigmask(SIG_BLOCK, &set, nullptr); error != 0) {
    throw std::system_error(error, std::system_category(), "pthread_sigmask");
  }
  for (const int signal : stop_signals) set_disposition(signal, SIG_DFL);
  handle_ = signalfd(-1, &set, SFD_CLOEXEC);
  if (handle_ < 0) throw std::system_error(errno, std::system_category(), "signalfd");
}

// What came stays pending and what is blocked stays blocked: the program is about to end, and to let a second
// Ctrl+C kill it on its last steps would help nobody.
StopSignals::~StopSignals() { close(static_cast<int>(handle_)); }

bool StopSignals::raised_within(std::chrono::milliseconds patience) const {
  pollfd entry{.fd = static_cast<int>(handle_), .events = POLLIN, .revents = 0};
  return poll(&entry, 1, static_cast<int>(patience.count())) > 0;
}

}  // namespace share_data
