#include "segment.h"

#include <sys/mman.h>
#include <sys/shm.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "failure.h"

namespace share_data {
namespace {

constexpr std::uint64_t magic = 0x3354'4144'5248'5303;  // spells "\3SHRDAT3" in memory

std::string name_of(key_t key) { return fmt::format("{:#010x}", static_cast<std::uint32_t>(key)); }

bool is_all_zero(const Table& table) {
  const auto* bytes = reinterpret_cast<const char*>(&table);
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, sizeof table - 1) == 0;
}

/// The owner of a segment can be changed, its creator cannot (shmctl(2)).
bool created_by_us(const shmid_ds& info) { return info.shm_perm.cuid == geteuid(); }

/// Empty if the segment vanished or was removed before we got hold of it.
std::optional<Segment> attach(int id, int flags) {
  void* const address = shmat(id, nullptr, flags);
  if (address != reinterpret_cast<void*>(-1)) return Segment{id, static_cast<Table*>(address)};
  const int error = errno;
  shmid_ds info{};
  const bool is_gone = shmctl(id, IPC_STAT, &info) == 0 ? is_removed(info) : errno == EINVAL || errno == EIDRM;
  if (is_gone && (error == EINVAL || error == EIDRM || error == EACCES)) return std::nullopt;
  throw failed_call(error, "shmat", std::to_string(id));
}

/// Empty if somebody else has created it meanwhile, or removed it since.
std::optional<Segment> create(key_t key, const Log& log) {
  shminfo limits{};  // asked first, because without shmctl(2) nobody could remove it
  if (shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&limits)) < 0) throw failed_call(errno, "shmctl IPC_INFO");
  const int id = shmget(key, sizeof(Table), 0600 | IPC_CREAT | IPC_EXCL);
  if (id < 0 && errno == EEXIST) return std::nullopt;
  if (id < 0) throw failed_call(errno, "shmget IPC_CREAT", name_of(key));
  log.explain("shmget({}, {}, IPC_CREAT | IPC_EXCL | 0600) = {}", name_of(key), sizeof(Table), id);
  try {
    return attach(id, 0);
  } catch (const Failure&) {
    shmctl(id, IPC_RMID, nullptr);  // nobody else would
    throw;
  }
}

/// Refuses what is not ours. All zeros are a new segment whose creator has not written the magic yet; if it did so
/// while we looked at the rest, the second look at the magic sees it.
void check(const Segment& segment, key_t key, int flags) {
  const shmid_ds info = segment.state();
  const std::atomic<std::uint64_t>& found = segment.table().magic;
  const auto refuse = [&](const std::string& why) {
    throw Failure(fmt::format("segment {} with key {} {}", segment.id(), name_of(key), why),
                  "count under another key with --key");
  };
  if (flags != SHM_RDONLY && !created_by_us(info)) refuse(fmt::format("was created by user {}", info.shm_perm.cuid));
  const bool is_ours = info.shm_segsz == sizeof(Table) &&
                       (found == magic || (found == 0 && (is_all_zero(segment.table()) || found == magic)));
  if (!is_ours) refuse(fmt::format("has {} bytes of another program or version", info.shm_segsz));
}

void prepare(const Segment& segment, key_t key, const Log& log) {
  Table& table = segment.table();
  madvise(&table, sizeof table, MADV_DONTDUMP);  // the kernel marks our words only after a core dump
  mlock2(&table, sizeof table, MLOCK_ONFAULT);   // and cannot mark what it cannot read back from swap
  std::uint64_t found = 0;  // its creator may have been killed before it wrote the magic and the key
  const bool is_first = table.magic.compare_exchange_strong(found, magic);
  table.key = static_cast<std::uint32_t>(key);
  log.explain("shmat({}) = {}: from here on, it is memory like any other", segment.id(), fmt::ptr(&table));
  log.note("{} segment {}, key {}, {} KiB, attached at {}", is_first ? "created" : "attached to", segment.id(),
           name_of(key), sizeof(Table) / 1024, fmt::ptr(&table));
}

}  // namespace

key_t default_key() { return static_cast<key_t>(0x5d00'0000U | (geteuid() & 0xff'ffffU)); }

std::optional<Segment> Segment::open(key_t key, int flags) {
  const int id = shmget(key, 0, 0);  // of whatever size; shmat(2) asks whether we may
  if (id < 0 && errno != ENOENT) throw failed_call(errno, "shmget", name_of(key));
  auto segment = id < 0 ? std::nullopt : attach(id, flags);
  if (segment) check(*segment, key, flags);
  return segment;
}

Segment Segment::open_or_create(key_t key, const Log& log) {
  for (;;) {
    auto segment = open(key, 0);
    log.explain("shmget({}, 0, 0) = {}", name_of(key),
                segment ? std::to_string(segment->id()) : system_message(ENOENT));
    if (!segment) segment = create(key, log);
    if (!segment) continue;
    prepare(*segment, key, log);
    return std::move(*segment);
  }
}

std::vector<Segment> Segment::open_removed(key_t key, int flags) {
  std::vector<Segment> removed;
  shm_info totals{};
  const int highest = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&totals));
  for (int index = 0; index <= highest; ++index) {
    shmid_ds info{};
    const int id = shmctl(index, SHM_STAT, &info);  // -1 as well if we may not read it
    if (id < 0 || !is_removed(info) || info.shm_segsz != sizeof(Table) || !created_by_us(info)) continue;
    auto segment = attach(id, flags);
    if (!segment) continue;
    const Table& table = segment->table();
    if (table.magic == magic && table.key == static_cast<std::uint32_t>(key)) removed.push_back(std::move(*segment));
  }
  return removed;
}

shmid_ds Segment::state() const {
  shmid_ds info{};
  if (shmctl(id_, IPC_STAT, &info) != 0) throw failed_call(errno, "shmctl IPC_STAT", std::to_string(id_));
  return info;
}

bool Segment::remove(const Log& log) const {
  shmid_ds info{};
  if (shmctl(id_, IPC_STAT, &info) == 0 && is_removed(info)) return false;
  if (shmctl(id_, IPC_RMID, nullptr) != 0) throw failed_call(errno, "shmctl IPC_RMID", std::to_string(id_));
  log.explain("shmctl({}, IPC_RMID): the key is free, the memory goes with the last process that is attached", id_);
  return true;
}

}  // namespace share_data
