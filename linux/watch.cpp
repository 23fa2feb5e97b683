#include "watch.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <limits>
#include <span>

#include "failure.h"

namespace share_data {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

// What an event carries: the identity of the copy that died, or one of these, which no process can have.
constexpr std::uint64_t stop_tag = 1;
constexpr std::uint64_t nudge_tag = 2;

bool listen(int epoll, int fd, std::uint32_t events, std::uint64_t tag) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = tag;
  return epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

/// The identities in the slots below `self`, nearest first, around the ring, at most `reach`.
std::vector<Identity> predecessors(const Slots& slots, Identity self) {
  std::vector<Identity> found;
  const auto own = static_cast<std::size_t>(std::ranges::find(slots, slot_of(self)) - slots.begin());
  for (std::size_t distance = 1; distance < slots.size() && found.size() < Watch::reach; ++distance) {
    const Slot slot = slots[(own + slots.size() - distance) % slots.size()];
    if (is_occupied(slot) && slot != slot_of(self)) found.emplace_back(Identity{slot});
  }
  return found;
}

}  // namespace

Watch::Watch(int stop) : epoll_(epoll_create1(EPOLL_CLOEXEC)), nudge_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  const bool ready = epoll_.get() >= 0 && nudge_.get() >= 0 && listen(epoll_.get(), stop, EPOLLIN, stop_tag) &&
                     listen(epoll_.get(), nudge_.get(), EPOLLIN, nudge_tag);
  if (!ready) throw Failure(errno, "epoll", "see `ulimit -n` and fs.epoll.max_user_watches");
}

/// False if the copy is dead.
bool Watch::add(Identity identity) {
  Pidfd opened = open_pidfd(identity);
  if (opened.dead) return false;
  FileDescriptor pidfd{opened.fd};
  // One event is enough: the descriptor is closed as soon as the slot is seen to be free.
  const bool watching = pidfd.get() >= 0 && listen(epoll_.get(), pidfd.get(), EPOLLIN | EPOLLONESHOT,
                                                   static_cast<std::uint64_t>(identity));
  if (watching) {
    watched_.push_back({identity, std::move(pidfd)});
  } else if (sweep_reason_ == 0) {
    sweep_reason_ = opened.error != 0 ? opened.error : errno;
    nudge();
  }
  return true;
}

std::vector<Identity> Watch::follow(const Slots& slots, Identity self, std::size_t nearest) {
  const std::vector<Identity> wanted = predecessors(slots, self);
  const auto is_wanted = [&](const Watched& watched) {
    return std::ranges::find(wanted, watched.identity) != wanted.end();
  };
  std::erase_if(watched_, [&](const Watched& watched) { return !is_wanted(watched); });
  std::vector<Identity> dead;
  for (const Identity identity : std::span{wanted}.first(std::min(nearest, wanted.size()))) {
    const bool known = std::ranges::find(watched_, identity, &Watched::identity) != watched_.end();
    if (!known && sweep_reason_ == 0 && !add(identity)) dead.push_back(identity);
  }
  return dead;
}

int Watch::timeout_ms(std::optional<steady_clock::time_point> deadline) const {
  auto patience = milliseconds::max();
  if (deadline) patience = std::chrono::ceil<milliseconds>(*deadline - steady_clock::now());
  if (sweep_reason_ != 0) patience = std::min(patience, sweep_interval);
  if (patience == milliseconds::max()) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(patience.count(), 0, std::numeric_limits<int>::max()));
}

Watch::Outcome Watch::wait(std::optional<steady_clock::time_point> deadline) {
  std::array<epoll_event, 16> events{};
  const int count = epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout_ms(deadline));
  Outcome outcome;
  for (int i = 0; i < count; ++i) {
    const std::uint64_t tag = events[static_cast<std::size_t>(i)].data.u64;
    if (tag == stop_tag) {
      outcome.stop = true;
    } else if (tag == nudge_tag) {
      eventfd_t ignored = 0;
      eventfd_read(nudge_.get(), &ignored);
      outcome.nudged = true;
    } else {
      outcome.dead.emplace_back(Identity{tag});
    }
  }
  outcome.sweep = count == 0 && sweep_reason_ != 0;
  outcome.deadline = deadline && steady_clock::now() >= *deadline;
  return outcome;
}

void Watch::nudge() const { eventfd_write(nudge_.get(), 1); }

}  // namespace share_data
