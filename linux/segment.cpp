#include "segment.h"

#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "failure.h"

namespace share_data {
namespace {

constexpr int mode = S_IRUSR | S_IWUSR;
constexpr auto other_key = "count under another key with --key";
constexpr std::uint64_t magic = 0x3354'4144'5248'5303;  // spells "\3SHRDAT3" in memory

/// All versions share this magic, except for the version number in its first and its last byte.
constexpr std::uint64_t version_bytes = 0xff00'0000'0000'00ff;

std::string name_of(key_t key) { return fmt::format("{:#010x}", static_cast<std::uint32_t>(key)); }

bool is_all_zero(const Table& table) {
  const auto* bytes = reinterpret_cast<const char*>(&table);
  return bytes[0] == 0 && std::memcmp(bytes, bytes + 1, sizeof table - 1) == 0;
}

/// The owner of a segment can be changed, its creator cannot (shmctl(2)).
bool created_by_us(const shmid_ds& info) { return info.shm_perm.cuid == geteuid(); }

/// To be called before a segment is created, because without shmctl(2) nobody could remove it.
void check_limits(key_t key) {
  shminfo limits{};
  if (shmctl(0, IPC_INFO, reinterpret_cast<shmid_ds*>(&limits)) < 0) throw failed_call(errno, "shmctl IPC_INFO");
  if (limits.shmmax >= sizeof(Table)) return;
  throw Failure(fmt::format("shmget {}: the system allows segments of {} bytes, and ours has {}", name_of(key),
                            limits.shmmax, sizeof(Table)),
                "raise kernel.shmmax with sysctl");
}

/// Empty if the segment vanished or was removed before we got hold of it. (One that was removed, and that we may not
/// attach, has no copies of ours.)
std::optional<Segment> attach(int id, Access access, bool is_new = false) {
  void* const address = shmat(id, nullptr, access == Access::read_only ? SHM_RDONLY : 0);
  if (address != reinterpret_cast<void*>(-1)) return Segment{id, static_cast<Table*>(address)};
  const int error = errno;
  shmid_ds info{};
  const bool is_gone = shmctl(id, IPC_STAT, &info) != 0 || is_removed(info);
  if (is_gone && (error == EINVAL || error == EIDRM || error == EACCES)) return std::nullopt;
  if (is_new) shmctl(id, IPC_RMID, nullptr);  // nobody else would
  throw failed_call(error, "shmat", std::to_string(id));
}

/// Refuses what is not ours.
void check(const Segment& segment, key_t key, Access access) {
  const shmid_ds info = segment.state();
  const std::atomic<std::uint64_t>& found = segment.table().magic;
  const auto refuse = [&](const std::string& why, const std::string& hint = other_key) {
    throw Failure(fmt::format("segment {} with key {} {}", segment.id(), name_of(key), why), hint);
  };
  if (access == Access::read_write && !created_by_us(info)) {
    refuse(fmt::format("was created by user {}", info.shm_perm.cuid));
  }
  if (info.shm_segsz >= sizeof found && found != magic && (found & ~version_bytes) == (magic & ~version_bytes)) {
    refuse(fmt::format("is used by version {} of share_data, which cannot count together with this one", found & 0xffU),
           fmt::format("end its copies, or if none is left, remove the segment with `ipcrm -m {}`, or {}", segment.id(),
                       other_key));
  }
  if (info.shm_segsz != sizeof(Table)) {
    refuse(fmt::format("has {} bytes, not our {}: another program's data", info.shm_segsz, sizeof(Table)));
  }
  // All zeros are a new segment whose creator has not written the magic yet. If it did so while we looked at the rest,
  // the second look at the magic sees it.
  const bool ours = found == magic || (found == 0 && (is_all_zero(segment.table()) || found == magic));
  if (!ours) refuse("has our size but another program's data");
}

void prepare(const Segment& segment, key_t key, const Log& log) {
  Table& table = segment.table();
  madvise(&table, sizeof table, MADV_DONTDUMP);  // the kernel marks our words only after a core dump,
  mlock2(&table, sizeof table, MLOCK_ONFAULT);   // and not if they were swapped out and cannot be read back
  std::uint64_t found = 0;  // its creator may have been killed before it wrote the magic and the key
  const bool is_first = table.magic.compare_exchange_strong(found, magic);
  table.key = static_cast<std::uint32_t>(key);
  log.explain("shmat({}) = {}: from here on, it is memory like any other", segment.id(), fmt::ptr(&table));
  log.note("{} segment {}, key {}, {} KiB, attached at {}", is_first ? "created" : "attached to", segment.id(),
           name_of(key), sizeof(Table) / 1024, fmt::ptr(&table));
}

}  // namespace

key_t default_key() { return static_cast<key_t>(0x5d00'0000U | (geteuid() & 0xff'ffffU)); }

Segment Segment::open_or_create(key_t key, const Log& log) {
  constexpr int attempts = 1000;  // somebody may remove it between two calls, but hardly this often in a row
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const bool create = attempt % 2 == 1;
    if (create) check_limits(key);
    const int id = shmget(key, sizeof(Table), mode | (create ? IPC_CREAT | IPC_EXCL : 0));
    const int error = id < 0 ? errno : 0;
    log.explain("shmget({}, {}, {}) = {}", name_of(key), sizeof(Table), create ? "IPC_CREAT | IPC_EXCL | 0600" : "0600",
                error == 0 ? std::to_string(id) : system_message(error));
    if (error == ENOENT || error == EEXIST || error == EIDRM) continue;
    if (error == EINVAL) (void)open_existing(key);  // it is smaller than ours; this says what it is
    if (error != 0) throw failed_call(error, "shmget", name_of(key));
    auto segment = attach(id, Access::read_write, create);
    if (!segment) continue;
    if (!create) check(*segment, key, Access::read_write);  // what we have just created is zero
    prepare(*segment, key, log);
    return std::move(*segment);
  }
  throw Failure(fmt::format("shmat of the segment with key {}", name_of(key)),
                "somebody keeps removing it; see `ipcs -m`");
}

std::optional<Segment> Segment::open_existing(key_t key) {
  const int id = shmget(key, 0, S_IRUSR);  // with a mode, it checks that we may read
  if (id < 0 && errno != ENOENT) throw failed_call(errno, "shmget", name_of(key));
  auto segment = id < 0 ? std::nullopt : attach(id, Access::read_only);
  if (segment) check(*segment, key, Access::read_only);
  return segment;
}

std::vector<Segment> Segment::open_removed(key_t key, Access access) {
  std::vector<Segment> removed;
  shm_info totals{};
  const int highest = shmctl(0, SHM_INFO, reinterpret_cast<shmid_ds*>(&totals));
  for (int index = 0; index <= highest; ++index) {
    shmid_ds info{};
    const int id = shmctl(index, SHM_STAT, &info);  // -1 as well if we may not read it
    if (id < 0 || !is_removed(info) || info.shm_segsz != sizeof(Table) || !created_by_us(info)) continue;
    auto segment = attach(id, access);
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
