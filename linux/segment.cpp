#include "segment.h"

#include <sys/ipc.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "all_segments.h"
#include "failure.h"
#include "hints.h"

namespace share_data {
namespace {

constexpr std::uint64_t magic = 0x3154'4144'5248'5301;  // spells "\1SHRDAT1" in memory
constexpr int owner_only = 0600;

std::string name_of(key_t key) { return fmt::format("{:#010x}", static_cast<std::uint32_t>(key)); }

std::uint64_t key_word(key_t key) { return static_cast<std::uint32_t>(key); }

/// Sets `word` to `value` if it is still 0. False if it has another value already.
bool set_once(std::atomic<std::uint64_t>& word, std::uint64_t value) {
  std::uint64_t found = 0;
  return word.compare_exchange_strong(found, value) || found == value;
}

bool is_all_zero(const Table& table) {
  const auto* bytes = reinterpret_cast<const char*>(&table);
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, sizeof table - 1) == 0;
}

[[noreturn]] void refuse(int id, key_t key, const std::string& why, const std::string& hint) {
  throw Failure(fmt::format("segment {} with key {} {}", id, name_of(key), why), hint);
}

/// Refuses memory that holds no table of ours, without a change to it.
void check_magic(const Segment& segment, key_t key) {
  const std::uint64_t found = segment.table().magic;
  if (found == magic) return;
  // Zeroed memory is a new segment, unless more than the magic says otherwise: then it is another program's.
  // If it became ours while we looked, the second look at the magic sees it.
  if (found == 0 && (is_all_zero(segment.table()) || segment.table().magic == magic)) return;
  refuse(segment.id(), key, "has our size but another program's data, or another version's", hint_other_key);
}

/// Refuses copies whose pids mean nothing here.
void check_namespaces(const Segment& segment, key_t key) {
  const std::uint64_t found = segment.table().namespaces;
  if (found == 0 || found == own_namespaces()) return;
  refuse(segment.id(), key,
         fmt::format("is used in another PID or time namespace (attached: {})", segment.state().attached - 1),
         fmt::format("a container shares its IPC namespace with this one but not its processes: {}, or remove the "
                     "segment with `ipcrm -m {}` if nobody is left in it",
                     hint_other_key, segment.id()));
}

/// The owner of a segment can be changed, its creator cannot (shmctl(2)).
bool created_by_us(const shmid_ds& info) { return info.shm_perm.cuid == geteuid(); }

bool has_vanished(int error) { return error == EINVAL || error == EIDRM; }

shmid_ds stat_of(int id) {
  shmid_ds info{};
  if (shmctl(id, IPC_STAT, &info) != 0) throw Failure(errno, fmt::format("shmctl IPC_STAT {}", id));
  return info;
}

}  // namespace

key_t default_key() { return static_cast<key_t>(0x5d00'0000U | (geteuid() & 0xff'ffffU)); }

std::optional<Segment> Segment::attach(int id, Access access) {
  void* const address = shmat(id, nullptr, access == Access::read_only ? SHM_RDONLY : 0);
  if (address == reinterpret_cast<void*>(-1)) return std::nullopt;  // what shmat(2) returns on error
  return Segment{id, static_cast<Table*>(address)};
}

std::optional<Segment> Segment::attach_checked(int id, key_t key, Access access) {
  auto segment = attach(id, access);
  if (!segment) {
    if (has_vanished(errno)) return std::nullopt;
    throw Failure(errno, fmt::format("shmat {}", id), hint_for_shmat(errno));
  }
  const shmid_ds info = stat_of(id);  // attached, so it cannot vanish any more
  if (access == Access::read_write && !created_by_us(info)) {
    refuse(id, key, fmt::format("was created by {}", user_name(info.shm_perm.cuid)), hint_other_key);
  }
  if (info.shm_segsz != sizeof(Table)) {
    refuse(id, key, fmt::format("has {} bytes, not our {}: another program's data", info.shm_segsz, sizeof(Table)),
           hint_other_key);
  }
  check_magic(*segment, key);
  check_namespaces(*segment, key);
  return segment;
}

void Segment::take_possession(key_t key) {
  std::uint64_t found = 0;
  created_ = table_->magic.compare_exchange_strong(found, magic);
  // Whoever created it may have been killed before it wrote the rest, so everybody makes sure of it.
  const bool ours = (created_ || found == magic) && set_once(table_->namespaces, own_namespaces());
  if (!ours) refuse(id_, key, "became another program's just now", hint_other_key);
  set_once(table_->key, key_word(key));
}

Segment Segment::open_or_create(key_t key) {
  constexpr int attempts = 1000;  // somebody may remove it between the two calls, but hardly this often in a row
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const int id = shmget(key, sizeof(Table), IPC_CREAT | owner_only);
    if (id < 0) {
      if (errno == EIDRM) continue;
      const int error = errno;
      throw Failure(error, fmt::format("shmget {}", name_of(key)), hint_for_shmget(error, key));
    }
    if (auto segment = attach_checked(id, key, Access::read_write)) {
      segment->take_possession(key);
      return std::move(*segment);
    }
  }
  throw Failure(EIDRM, fmt::format("shmat of the segment with key {}", name_of(key)),
                "somebody keeps removing it; see `ipcs -m`");
}

std::optional<Segment> Segment::open_existing(key_t key) {
  const int id = shmget(key, 0, S_IRUSR);  // with a mode, it checks that we may read
  if (id >= 0) return attach_checked(id, key, Access::read_only);
  if (errno == ENOENT) return std::nullopt;
  const int error = errno;
  throw Failure(error, fmt::format("shmget {}", name_of(key)), hint_for_shmget(error, key));
}

std::vector<Segment> Segment::open_removed(key_t key, Access access) {
  std::vector<Segment> removed;
  for_each_segment(SHM_STAT, [&](int id, const shmid_ds& info) {
    const bool is_removed = (info.shm_perm.mode & SHM_DEST) != 0;
    if (!is_removed || info.shm_segsz != sizeof(Table) || !created_by_us(info)) return;
    auto segment = attach(id, access);
    if (!segment) return;
    const Table& table = segment->table();
    if (table.magic == magic && table.key == key_word(key) && table.namespaces == own_namespaces()) {
      removed.push_back(std::move(*segment));
    }
  });
  return removed;
}

Segment::Segment(Segment&& other) noexcept
    : id_(other.id_), table_(std::exchange(other.table_, nullptr)), created_(other.created_) {}

Segment& Segment::operator=(Segment&& other) noexcept {
  std::swap(id_, other.id_);
  std::swap(table_, other.table_);
  std::swap(created_, other.created_);
  return *this;
}

Segment::~Segment() {
  if (table_ != nullptr) shmdt(table_);
}

SegmentState Segment::state() const {
  const shmid_ds info = stat_of(id_);
  return {.removed = (info.shm_perm.mode & SHM_DEST) != 0, .attached = info.shm_nattch};
}

void Segment::remove() const {
  if (shmctl(id_, IPC_RMID, nullptr) != 0 && !has_vanished(errno)) {
    throw Failure(errno, fmt::format("shmctl IPC_RMID {}", id_), "it stays behind; see `ipcs -m`");
  }
}

std::string Segment::describe(key_t key) const {
  return fmt::format("segment {}, key {}, {} KiB, attached at {}", id_, name_of(key), sizeof(Table) / 1024,
                     fmt::ptr(table_));
}

}  // namespace share_data
