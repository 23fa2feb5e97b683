#include "display.h"

#include <process.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <system_error>
#include <utility>
#include <vector>

#include "failure.h"
#include "handle.h"
#include "stop_request.h"

namespace share_data {
namespace {

using namespace std::chrono_literals;

/// How often a copy that waits for its last lines looks whether it has to give them up.
constexpr DWORD look_again_after_ms = 50;

/// After a line the next one comes no sooner than this. What happens meanwhile goes into one line, so in a
/// mass start each copy prints now and then instead of once for every other one. The cost of a line on every
/// screen grows with the number of screens; so does the pause, and N copies cost each other N and not N²
/// lines.
void cool_down(std::uint32_t live) {
  const auto pause = std::max(16ms, std::chrono::ceil<std::chrono::milliseconds>(live * 64us));
  WaitForSingleObject(StopRequest::event(), static_cast<DWORD>(pause.count()));
}

bool was_killed(Slot slot) { return mark_of(slot) == Mark::dying || mark_of(slot) == Mark::tombstone; }

/// Who left one slot and joined in another has only moved: somebody had overwritten the first. One for one:
/// whoever had two slots, by somebody's garbage, and has one now is one less.
void drop_movers(Event& event) {
  std::erase_if(event.left, [&](std::uint32_t pid) {
    const auto joined = std::ranges::find(event.joined, pid);
    if (joined == event.joined.end()) return false;
    event.joined.erase(joined);
    return true;
  });
}

/// What has happened between two looks at the table.
Event difference(const Slots& before, const Slots& now) {
  Event event{.live = count_live(now)};
  for (std::size_t i = 0; i < now.size(); ++i) {
    const Slot old = i < before.size() ? before[i] : free_slot;
    if (old == now[i]) continue;
    if (is_live(now[i])) event.joined.push_back(pid_of(identity_of(now[i])));
    if (!is_live(old)) continue;
    const bool killed = was_killed(now[i]) && identity_of(now[i]) == identity_of(old);
    (killed ? event.killed : event.left).push_back(pid_of(identity_of(old)));
  }
  drop_movers(event);
  return event;
}

bool is_empty(const Event& event) { return event.joined.empty() && event.left.empty() && event.killed.empty(); }

/// A line on its way to standard output. It may outlive the Display.
struct Line {
  Log log;
  Event event;
};

/// Returns the error, if any, as the thread's exit code.
unsigned __stdcall write_line(void* argument) {
  const std::unique_ptr<Line> line{static_cast<Line*>(argument)};
  return static_cast<unsigned>(line->log.event(line->event).value());
}

/// Throws if the line has been refused.
void check_written(HANDLE thread) {
  DWORD error = 0;
  GetExitCodeThread(thread, &error);
  if (error != 0) throw std::system_error(static_cast<int>(error), std::system_category(), "standard output");
}

}  // namespace

// A thread of the system, whose handle can be waited for and whose exit code says how the write went. (With MinGW's
// std::thread, detached, about one line in a hundred never came.)
Handle Display::start_writing(Event event) const {
  auto line = std::make_unique<Line>(Line{log_, std::move(event)});
  Handle thread{reinterpret_cast<HANDLE>(_beginthreadex(nullptr, 0, write_line, line.get(), 0, nullptr))};
  if (!thread) throw Failure(GetLastError(), "_beginthreadex");
  (void)line.release();  // it is the thread's now
  return thread;
}

void Display::show(const Slots& now, std::int32_t plain) {
  Event event = difference(shown_, now);
  if (shown_.empty()) {
    event.kind = Event::Kind::joined;
    event.joined = {pid_of(self_)};
  }
  shown_ = now;
  if (is_empty(event)) return;
  event.plain = plain;
  writing_ = start_writing(std::move(event));
  const std::array<HANDLE, 2> handles{writing_.get(), StopRequest::event()};
  const auto count = static_cast<DWORD>(handles.size());
  if (WaitForMultipleObjects(count, handles.data(), FALSE, INFINITE) != WAIT_OBJECT_0) return;
  check_written(writing_.get());
  cool_down(count_live(now));
}

// The request to stop may have come while the line before was still being written. That one goes first.
void Display::show_last(const Remains& remains) {
  if (!is_written_in_time()) return;
  writing_ = start_writing({.kind = Event::Kind::left,
                            .live = remains.live,
                            .plain = remains.plain,
                            .left = {pid_of(self_)},
                            .remark = remains.live == 0 ? "last one out, the memory goes too" : ""});
  (void)is_written_in_time();
}

bool Display::is_written_in_time() const {
  if (!writing_) return true;
  while (WaitForSingleObject(writing_.get(), look_again_after_ms) != WAIT_OBJECT_0) {
    if (StopRequest::out_of_patience()) return false;
  }
  check_written(writing_.get());
  return true;
}

}  // namespace share_data
