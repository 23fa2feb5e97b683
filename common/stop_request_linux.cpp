#include "stop_request.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

#include "failure.h"

namespace share_data::stop_request {
namespace {

using std::chrono::nanoseconds;
using std::chrono::steady_clock;

constexpr std::chrono::milliseconds interval{10};
constexpr std::chrono::seconds patience{3};
constexpr Duration longest{100.0 * 365 * 24 * 3600};

std::atomic<std::uint32_t> requested{0};
std::atomic<steady_clock::rep> requested_at{0};
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
  if (requested == 0) requested_at = steady_clock::now().time_since_epoch().count();
  requested = 1;
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

bool made() { return requested != 0; }

bool out_of_patience() {
  return made() && steady_clock::now().time_since_epoch() - steady_clock::duration{requested_at} > patience;
}

const std::atomic<std::uint32_t>& word() { return requested; }

void* event() { return nullptr; }

}  // namespace share_data::stop_request
