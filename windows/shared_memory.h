// Where the table lies: in a section of a program file or DLL that is marked as shared, or in a named mapping.
#pragma once

#include <windows.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "log.h"
#include "table.h"

namespace share_data {

/// Memory with a table of ours. Each function here throws Failure if it cannot have one, and then changes nothing. The
/// system frees the memory with the last process that uses it.
struct SharedMemory {
  std::shared_ptr<Table> table;  ///< gives the memory back at the end
  std::string description;       ///< `section SHARED at 0x140008000, 17 KiB, shared by all that run C:\share_data.exe`
};

/// The section SHARED of the program that runs (shared_table.cpp). All processes of a session that run the same file
/// have it at once. The system makes it from the file for the first of them. A section that is not marked as shared is
/// refused: each process would count itself alone.
[[nodiscard]] SharedMemory section_of_program(const Log& log);

/// The same of the DLL at `path`, UTF-8, for all that load it; if that is empty, of share_data_table.dll beside the
/// program. A DLL that is not ours is refused before any of its code runs.
[[nodiscard]] SharedMemory section_of_dll(std::string_view path, const Log& log);

/// The mapping `name`, UTF-8, without a namespace; a new one is all zeros. The name alone decides who shares it,
/// whatever .exe file a process runs. The system keeps the memory in its paging file.
[[nodiscard]] SharedMemory open_or_create_mapping(std::string_view name, const Log& log);

/// The mapping `name`, for reading unless `access` says more. Empty if no mapping has this name.
[[nodiscard]] std::optional<SharedMemory> open_existing_mapping(std::string_view name, const Log& log,
                                                                DWORD access = FILE_MAP_READ);

}  // namespace share_data
