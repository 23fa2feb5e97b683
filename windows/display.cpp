#include "display.h"

#include <process.h>

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <iterator>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "identity.h"
#include "stop_request.h"

namespace share_data {
namespace {

using namespace std::chrono_literals;

/// Lets changes add up for a moment before the next line, unless a request to leave comes. The cost of a line on every
/// screen grows with the number of screens; so does this pause, and N copies cost each other N lines, not N².
void cool_down(std::uint32_t live) {
  const auto pause = std::max(16ms, std::chrono::ceil<std::chrono::milliseconds>(live * 64us));
  WaitForSingleObject(stop_request::event(), static_cast<DWORD>(pause.count()));
}

/// Who is counted. A copy whose slot somebody has overwritten may be in two.
std::set<Identity> counted_in(const View& view) {
  std::set<Identity> counted;
  for (const Word word : view.slots) {
    if (is_counted(word)) counted.insert(identity_of(word));
  }
  return counted;
}

std::vector<Identity> without(const std::set<Identity>& all, const std::set<Identity>& some) {
  std::vector<Identity> rest;
  std::ranges::set_difference(all, some, std::back_inserter(rest));
  return rest;
}

/// A line on its way to standard output. It may outlive the Display.
struct Line {
  Log log;
  Event event;
};

/// Returns the error, if any, as the thread's exit code.
unsigned __stdcall write_line(void* argument) {
  const std::unique_ptr<Line> line{static_cast<Line*>(argument)};
  try {
    return static_cast<unsigned>(line->log.event(line->event).value());
  } catch (const std::exception&) {
    return ERROR_NOT_ENOUGH_MEMORY;
  }
}

/// The longest running first.
std::vector<Instance> instances_in(const Table& table) {
  std::vector<Instance> instances;
  for (const Identity identity : counted_in(table.look())) {
    if (is_alive(identity)) instances.push_back({pid_of(identity), seconds_since_start_of(identity)});
  }
  std::ranges::stable_sort(instances, std::greater{}, &Instance::seconds);
  return instances;
}

/// The memory itself, word by word.
std::string words_in(const SharedMemory& memory) {
  const Table& table = *memory.table;
  std::string text = fmt::format("\n{}\n", memory.description);
  const auto add = [&](std::string_view word, const std::string& value, std::string_view meaning) {
    text += fmt::format("  {:<10}  {:<18}  {}\n", word, value, meaning);
  };
  add("magic", fmt::format("{:#x}", table.magic.load()), "a table of version 3");
  add("id", fmt::format("{:#x}", table.id.load()), "a random number that the events are named after");
  add("changes", std::to_string(table.changes), "goes up with every change; each value has its event");
  add("plain", std::to_string(table.plain), "the article's counter: ++ on start, -- on a clean exit");
  add("left_count", std::to_string(table.left_count), "how many have left normally");
  for (std::size_t i = 0; i < slot_count; ++i) {
    const Word word = table.slots[i];
    if (word != 0) add(fmt::format("slot {}", i), to_text(word), meaning_of(word));
  }
  return text;
}

}  // namespace

// Checks only once whether the line before is written. If it ends after this check, its handle is signalled already, so
// the caller looks again at once.
HANDLE Display::show(const View& now) {
  if (void* const line = line_in_writing()) return line;
  Event event = difference(now);
  shown_ = now;
  if (event.joined.empty() && event.left.empty() && event.killed.empty() && event.unknown.empty()) return nullptr;
  print(std::move(event));
  cool_down(now.live);
  return line_in_writing();
}

/// What has happened between the line before and `now`.
Event Display::difference(const View& now) const {
  Event event{.live = now.live, .plain = membership_.table().plain};
  if (!shown_) {
    event.kind = Event::Kind::joined;
    event.joined = {membership_.pid()};
    return event;
  }
  const std::set<Identity> before = counted_in(*shown_);
  const std::set<Identity> after = counted_in(now);
  for (const Identity identity : without(after, before)) event.joined.push_back(pid_of(identity));
  for (const Identity identity : without(before, after)) add_end(event, identity);
  return event;
}

/// A copy is not there any more that was at the line before.
void Display::add_end(Event& event, Identity identity) const {
  const std::optional<bool> left = membership_.table().has_left(identity, *shown_);
  if (!left) return event.unknown.push_back(pid_of(identity));
  (*left ? event.left : event.killed).push_back(pid_of(identity));
  log_.explain("compared with the previous look: {} is not there any more, and {}in the list of those that left",
               pid_of(identity), *left ? "" : "not ");
}

// A thread of the system, whose handle can be waited for and whose exit code says how the write went. (With MinGW's
// std::thread, detached, about one line in a hundred never came.)
void Display::print(Event event) {
  auto line = std::make_unique<Line>(Line{log_, std::move(event)});
  writing_ = Handle{reinterpret_cast<HANDLE>(_beginthreadex(nullptr, 0, write_line, line.get(), 0, nullptr))};
  if (!writing_) throw std::system_error(errno, std::generic_category(), "_beginthreadex");
  (void)line.release();  // it is the thread's now
}

HANDLE Display::line_in_writing() {
  if (!writing_ || WaitForSingleObject(writing_.get(), 0) != WAIT_OBJECT_0) return writing_.get();
  DWORD error = 0;
  GetExitCodeThread(writing_.get(), &error);
  writing_ = Handle{};
  if (error != 0) throw std::system_error(static_cast<int>(error), std::system_category(), "standard output");
  return nullptr;
}

// The request to leave may have come while the line before was still being written. That one goes first.
void Display::print_last(Event event) {
  if (!is_written_in_time()) return;
  print(std::move(event));
  (void)is_written_in_time();
}

bool Display::is_written_in_time() {
  while (void* const line = line_in_writing()) {
    if (stop_request::out_of_patience()) return false;
    WaitForSingleObject(line, 50);
  }
  return true;
}

void print_status(const std::optional<SharedMemory>& memory, const Log& log) {
  const auto instances = memory ? instances_in(*memory->table) : std::vector<Instance>{};
  const std::int32_t plain = memory ? memory->table->plain.load() : 0;
  const std::string words = memory && log.explains() ? words_in(*memory) : "";
  if (const auto error = log.status(instances, plain, words)) throw std::system_error(error, "standard output");
}

}  // namespace share_data
