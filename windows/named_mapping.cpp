#include "named_mapping.h"

#include <windows.h>

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "failure.h"
#include "unicode.h"

namespace share_data {
namespace {

constexpr auto other_name = "another program uses this name; take one of your own with --name";

/// `Local\` is the namespace of the logon session
/// (https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces).
std::wstring object_name(std::string_view name) { return L"Local\\" + to_utf16(name); }

Failure failure_to_open(DWORD error, const char* call, std::string_view name) {
  const bool taken = error == ERROR_INVALID_HANDLE || error == ERROR_ACCESS_DENIED;
  if (error == ERROR_INVALID_HANDLE) {
    return Failure{fmt::format("{}: the name {} is taken by an object of another kind", call, name), other_name};
  }
  return Failure{error, fmt::format("{} {}", call, name), taken ? other_name : ""};
}

/// Whether these are the pages of a table: as many as it takes, and all there to be used. Memory that is only
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

/// A table, or zeroes that become one: whoever comes first writes the magic, in one step.
bool is_or_becomes_ours(Table& table, bool writable) {
  const bool empty = std::ranges::all_of(table.slots, [](const auto& slot) { return slot == free_slot; });
  std::uint64_t magic = table.magic;
  if (magic == 0 && empty && writable) table.magic.compare_exchange_strong(magic, table_magic);
  return table.magic == table_magic || (magic == 0 && empty && !writable);
}

}  // namespace

NamedMapping NamedMapping::open_or_create(std::string_view name) {
  SetLastError(ERROR_SUCCESS);
  Handle mapping{
      CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, sizeof(Table), object_name(name).c_str())};
  const DWORD error = GetLastError();
  if (!mapping) throw failure_to_open(error, "CreateFileMapping", name);
  return {name, std::move(mapping), error != ERROR_ALREADY_EXISTS, FILE_MAP_READ | FILE_MAP_WRITE};
}

std::optional<NamedMapping> NamedMapping::open_existing(std::string_view name) {
  Handle mapping{OpenFileMappingW(FILE_MAP_READ, FALSE, object_name(name).c_str())};
  const DWORD error = GetLastError();
  if (!mapping && error == ERROR_FILE_NOT_FOUND) return std::nullopt;
  if (!mapping) throw failure_to_open(error, "OpenFileMapping", name);
  return NamedMapping{name, std::move(mapping), false, FILE_MAP_READ};
}

NamedMapping::NamedMapping(std::string_view name, Handle mapping, bool created, DWORD access)
    : name_(name),
      mapping_(std::move(mapping)),
      created_(created),
      table_(static_cast<Table*>(MapViewOfFile(mapping_.get(), access, 0, 0, 0))) {  // 0: all there is
  if (table_ == nullptr) throw failure_to_open(GetLastError(), "MapViewOfFile", name);
  const bool writable = (access & FILE_MAP_WRITE) != 0;
  if (has_our_shape(table_, writable) && is_or_becomes_ours(*table_, writable)) return;
  UnmapViewOfFile(table_);
  throw Failure(fmt::format("the mapping {} is not ours, or of another version", name), other_name);
}

NamedMapping::NamedMapping(NamedMapping&& other) noexcept
    : name_(std::move(other.name_)),
      mapping_(std::move(other.mapping_)),
      created_(other.created_),
      table_(std::exchange(other.table_, nullptr)) {}

NamedMapping::~NamedMapping() {
  if (table_ != nullptr) UnmapViewOfFile(table_);
}

std::string NamedMapping::describe() const {
  return fmt::format("{} mapping Local\\{}, {} KiB, at {}", created_ ? "created" : "attached to", name_,
                     sizeof(Table) / 1024, fmt::ptr(table_));
}

}  // namespace share_data
