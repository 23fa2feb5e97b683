#include "shared_section.h"

#include <windows.h>

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <span>
#include <string_view>

#include "failure.h"
#include "unicode.h"

// One declaration in two spellings. The letters RWS are the section's flags: read, write, shared. GCC ignores
// the pragmas and would share nothing; the others do not know its attribute.
//   https://learn.microsoft.com/cpp/preprocessor/data-seg
//   https://learn.microsoft.com/cpp/build/reference/section-specify-section-attributes
//   https://gcc.gnu.org/onlinedocs/gcc/Microsoft-Windows-Variable-Attributes.html

// What lies here must be initialised, with constants (`constinit`): code that initialised it at start-up
// would run in every process and wipe out what the others wrote. Neither pointers nor handles belong here:
// each process has its own. Not `static`: other processes write to it.
// NOLINTBEGIN(misc-use-internal-linkage)
#if defined(_MSC_VER) || defined(__clang__)
#pragma data_seg("SHARED")
constinit share_data::Table shared_table{.magic = share_data::table_magic};
#pragma data_seg()
#pragma comment(linker, "/SECTION:SHARED,RWS")
#else
constinit share_data::Table shared_table __attribute__((section("SHARED"), shared)){.magic = share_data::table_magic};
#endif
// NOLINTEND(misc-use-internal-linkage)

namespace share_data {
namespace {

/// The section headers of this program as the system has loaded them
/// (https://learn.microsoft.com/windows/win32/debug/pe-format#section-table-section-headers).
std::span<const IMAGE_SECTION_HEADER> section_headers(const std::byte* image) {
  IMAGE_DOS_HEADER dos{};
  std::memcpy(&dos, image, sizeof(dos));
  const auto* headers = reinterpret_cast<const IMAGE_NT_HEADERS*>(image + dos.e_lfanew);
  return {IMAGE_FIRST_SECTION(headers), headers->FileHeader.NumberOfSections};
}

std::string_view name_of(const IMAGE_SECTION_HEADER& header) {
  const auto* name = reinterpret_cast<const char*>(header.Name);
  return {name, strnlen(name, sizeof(header.Name))};
}

/// The section of this program that the table lies in.
const IMAGE_SECTION_HEADER& section_of_table() {
  const auto* image = reinterpret_cast<const std::byte*>(GetModuleHandleW(nullptr));
  const auto offset = static_cast<std::size_t>(reinterpret_cast<const std::byte*>(&shared_table) - image);
  const auto headers = section_headers(image);
  const auto found = std::ranges::find_if(headers, [&](const IMAGE_SECTION_HEADER& header) {
    return offset >= header.VirtualAddress && offset + sizeof(Table) <= header.VirtualAddress + header.Misc.VirtualSize;
  });
  if (found == headers.end()) throw Failure("the table lies in no section of the program");
  return *found;
}

std::string own_file() {
  std::wstring path(MAX_PATH, L'\0');
  for (;;) {
    const DWORD length = GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
    if (length < path.size()) return to_utf8({path.data(), length});
    path.resize(2 * path.size());
  }
}

}  // namespace

Table& shared_section() {
  const IMAGE_SECTION_HEADER& section = section_of_table();
  if ((section.Characteristics & IMAGE_SCN_MEM_SHARED) == 0) {
    throw Failure(fmt::format("section {} is not shared: this copy would count itself alone", name_of(section)),
                  "the compiler understood neither spelling of the section: see shared_section.cpp");
  }
  return shared_table;
}

std::string describe_shared_section() {
  return fmt::format("section {} at {}, {} KiB, shared by all that run {}", name_of(section_of_table()),
                     fmt::ptr(&shared_table), sizeof(Table) / 1024, own_file());
}

}  // namespace share_data
