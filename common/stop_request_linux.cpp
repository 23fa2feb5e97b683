#include "stop_request.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "failure.h"

namespace share_data::stop_request {
namespace {

using std::chrono::nanoseconds;

constexpr std::chrono::milliseconds interval{10};

timer_t timer{};

bool start_timer(nanoseconds time) {
  const auto whole = std::chrono::duration_cast<std::chrono::seconds>(time);
  const itimerspec setting{.it_interval = {}, .it_value = {.tv_sec = whole.count(), .tv_nsec = (time - whole).count()}};
  return timer_settime(timer, 0, &setting, nullptr) == 0;
}

/// Only calls that are safe in a handler (signal-safety(7)). The timer sends SIGALRM, which comes here again: so a
/// call that was entered just after the signal does not block either.
void on_request(int /*signal*/) {
  const int error = errno;
  record();
  (void)start_timer(interval);
  errno = error;
}

void check(bool succeeded, const char* call) {
  if (!succeeded) throw failed_call(errno, call);
}

/// Without SA_RESTART: a call that waits ends with EINTR (signal(7)).
void handle(int signal, void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler;
  check(sigaction(signal, &action, nullptr) == 0, "sigaction");
}

bool is_ignored(int signal) {
  struct sigaction action = {};
  return sigaction(signal, nullptr, &action) == 0 && action.sa_handler == SIG_IGN;
}

}  // namespace

void start_catching(std::optional<Duration> after) {
  sigevent event{};
  event.sigev_notify = SIGEV_SIGNAL;
  event.sigev_signo = SIGALRM;
  check(timer_create(CLOCK_BOOTTIME, &event, &timer) == 0, "timer_create");
  handle(SIGPIPE, SIG_IGN);
  sigset_t signals{};
  for (const int signal : {SIGALRM, SIGINT, SIGTERM, SIGQUIT, SIGHUP}) {
    if (signal == SIGHUP && is_ignored(SIGHUP)) continue;
    handle(signal, on_request);
    sigaddset(&signals, signal);
  }
  // NOLINTNEXTLINE(concurrency-mt-unsafe): the program has one thread
  check(sigprocmask(SIG_UNBLOCK, &signals, nullptr) == 0, "sigprocmask");
  if (after) check(start_timer(std::chrono::ceil<nanoseconds>(std::min(*after, longest))), "timer_settime");
}

}  // namespace share_data::stop_request
