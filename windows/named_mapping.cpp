#include "named_mapping.h"

#include <windows.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "failed_call.h"
#include "security.h"
#include "unicode.h"

namespace share_data {
namespace {

constexpr DWORD read_write = FILE_MAP_READ | FILE_MAP_WRITE;

/// `Local\` is the namespace of the session
/// (https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces).
std::string object_name(std::string_view name) { return fmt::format("Local\\{}", name); }

Failure failed(DWORD error, const char* call, std::string_view name) {
  return failed_call(static_cast<int>(error), call, object_name(name));
}

/// True if these are the pages of a table: as many as it takes, and all there to be used. Memory that is only
/// reserved, or part of a program, would crash whoever touches it.
bool has_our_shape(const void* view, bool writable) {
  MEMORY_BASIC_INFORMATION info{};
  SYSTEM_INFO system{};
  GetSystemInfo(&system);
  const std::size_t pages = (sizeof(Table) + system.dwPageSize - 1) / system.dwPageSize;
  return VirtualQuery(view, &info, sizeof(info)) != 0 && info.RegionSize == pages * system.dwPageSize &&
         info.State == MEM_COMMIT && info.Type == MEM_MAPPED &&
         (info.Protect == PAGE_READWRITE || (info.Protect == PAGE_READONLY && !writable));
}

/// A table, or zeros that become one: the first copy writes the magic, in one step.
bool is_or_becomes_ours(Table& table, bool writable) {
  const bool empty = std::ranges::all_of(table.slots, [](const auto& slot) { return slot == 0; });
  std::uint64_t magic = table.magic;
  if (magic == 0 && empty && writable) table.magic.compare_exchange_strong(magic, table_magic);
  return table.magic == table_magic || (magic == 0 && empty && !writable);
}

}  // namespace

// Opening comes first: to create a mapping that exists already means to ask for more rights than it gives.
NamedMapping NamedMapping::open_or_create(std::string_view name, const Log& log) {
  constexpr int attempts = 1000;  // somebody may create or close it between two calls, but hardly this often in a row
  ForEverybody security{SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE};
  const std::wstring wide = to_utf16(object_name(name));
  for (int attempt = 1;; ++attempt) {
    const bool create = attempt % 2 == 0;
    Handle mapping{create ? CreateFileMappingW(INVALID_HANDLE_VALUE, security.attributes(), PAGE_READWRITE, 0,
                                               sizeof(Table), wide.c_str())
                          : OpenFileMappingW(read_write, FALSE, wide.c_str())};
    const DWORD error = GetLastError();
    const char* const call = create ? "CreateFileMapping" : "OpenFileMapping";
    log.explain("{}({}) = {}", call, object_name(name), mapping ? "a handle" : "none");
    const bool came_late = create && (error == ERROR_ALREADY_EXISTS || error == ERROR_ACCESS_DENIED);
    if (mapping && !came_late) {
      NamedMapping result{name, std::move(mapping), create, read_write};
      log.explain("MapViewOfFile = {}: from here on, it is memory like any other", fmt::ptr(result.table_.get()));
      return result;
    }
    const bool again = came_late || (!create && error == ERROR_FILE_NOT_FOUND);
    if (!again || attempt > attempts) throw failed(error, call, name);
  }
}

std::optional<NamedMapping> NamedMapping::open_existing(std::string_view name) {
  Handle mapping{OpenFileMappingW(FILE_MAP_READ, FALSE, to_utf16(object_name(name)).c_str())};
  const DWORD error = GetLastError();
  if (!mapping && error == ERROR_FILE_NOT_FOUND) return std::nullopt;
  if (!mapping) throw failed(error, "OpenFileMapping", name);
  return NamedMapping{name, std::move(mapping), false, FILE_MAP_READ};
}

NamedMapping::NamedMapping(std::string_view name, Handle mapping, bool created, DWORD access)
    : name_(object_name(name)),
      mapping_(std::move(mapping)),
      created_(created),
      table_(static_cast<Table*>(MapViewOfFile(mapping_.get(), access, 0, 0, 0))) {  // 0: all there is
  if (table_ == nullptr) throw failed(GetLastError(), "MapViewOfFile", name);
  const bool writable = (access & FILE_MAP_WRITE) != 0;
  if (has_our_shape(table_.get(), writable) && is_or_becomes_ours(*table_, writable)) return;
  throw Failure(fmt::format("the mapping {} is not ours, or of another version", name_),
                "another program uses this name; take one of your own with --name");
}

std::string NamedMapping::describe() const {
  return fmt::format("{} mapping {}, {} KiB, at {}", created_ ? "created" : "attached to", name_, sizeof(Table) / 1024,
                     fmt::ptr(table_.get()));
}

}  // namespace share_data
