#include "calls.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>

namespace share_data::bench {
namespace {

struct Thread {
  bool counts = true;
  bool opening = false;  ///< has only opened its event until now, maybe again and again, because others told meanwhile
  bool has_set = false;  ///< the event
  unsigned calls = 0;    ///< so far
  unsigned opened_at = 0;  ///< the call that opened the event first
  unsigned to_tell = 0;
};

/// `request` is, for example, `event_op( handle=0094, op=1 )`.
void count(Thread& thread, const std::string& request) {
  const bool opens = request.starts_with("create_event(") && request.find("share_data-") != std::string::npos;
  const bool closes = request.starts_with("close_handle(");
  thread.counts = thread.counts || opens;
  if (!thread.counts) return;
  ++thread.calls;
  if (opens && !thread.opening) thread.opened_at = thread.calls;
  // Whoever only finds that it has overslept a change sets the old event again, which is not to tell.
  thread.has_set = thread.has_set || (thread.opening && request.starts_with("event_op("));
  thread.opening = opens || (thread.opening && closes);
  if (!thread.has_set || !closes) return;
  thread.has_set = false;
  thread.to_tell = std::max(thread.to_tell, thread.calls - thread.opened_at + 1);
}

}  // namespace

Calls Trace::calls(const Crowd& crowd, const Process* newcomer) const {
  std::map<unsigned long, Thread> threads;
  for (const auto& copy : crowd.processes()) threads.try_emplace(copy->main_thread());
  if (newcomer != nullptr) threads[newcomer->main_thread()].counts = false;

  std::ifstream file{file_, std::ios::binary};
  file.seekg(static_cast<std::streamoff>(begin_));
  for (std::string line; std::getline(file, line);) {
    // `0024: select( flags=2, ... )` is a request, `0024: select() = 0 { ... }` the answer to it.
    const bool is_request = line.find(": ") == 4 && line[6] != '*' && line.find("() = ") == std::string::npos;
    if (!is_request) continue;
    const auto thread = threads.find(std::strtoul(line.c_str(), nullptr, 16));
    if (thread != threads.end()) count(thread->second, line.substr(6));
  }

  Calls found;
  for (const auto& [id, thread] : threads) {
    found.all += thread.calls;
    if (thread.to_tell == 0) continue;
    found.to_tell = std::max(found.to_tell, thread.to_tell);
    found.teller = std::max(found.teller, thread.calls);
  }
  if (found.to_tell == 0) throw std::runtime_error("the trace does not show that anybody was told");
  return found;
}

}  // namespace share_data::bench
