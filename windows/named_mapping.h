// The second way to share memory: a named mapping, backed by the system's paging file.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "handle.h"
#include "log.h"
#include "table.h"

namespace share_data {

/// The table in a named mapping. Whatever .exe file a process runs, and wherever that lies: the name decides
/// who shares. The system zeroes the memory when the mapping is created and throws it away with the last
/// process that has it.
class NamedMapping {
 public:
  /// Opens the mapping, creating it if there is none. `name` is UTF-8, without a namespace. Throws Failure
  /// if the name is taken by something else, of which nothing is changed.
  static NamedMapping open_or_create(std::string_view name, const Log& log);

  /// Opens the mapping to read it. Empty if there is none.
  static std::optional<NamedMapping> open_existing(std::string_view name);

  [[nodiscard]] Table& table() const { return *table_; }

  /// `created mapping Local\share_data, 33 KiB, at 0x1f0000`
  [[nodiscard]] std::string describe() const;

 private:
  NamedMapping(std::string_view name, Handle mapping, bool created, DWORD access);

  struct Unmap {
    void operator()(Table* table) const { UnmapViewOfFile(table); }
  };

  std::string name_;
  Handle mapping_;
  bool created_;
  std::unique_ptr<Table, Unmap> table_;
};

}  // namespace share_data
