#include "shared_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <span>
#include <utility>

#include "failed_call.h"
#include "unicode.h"

namespace share_data {
namespace {

constexpr auto our_dll = "--dll takes a copy of share_data_table.dll, which comes with share_data.exe";

/// The section headers of a program or DLL as the system has mapped it
/// (https://learn.microsoft.com/windows/win32/debug/pe-format#section-table-section-headers).
std::span<const IMAGE_SECTION_HEADER> section_headers(const std::byte* image) {
  IMAGE_DOS_HEADER dos{};
  std::memcpy(&dos, image, sizeof(dos));
  const auto* headers = reinterpret_cast<const IMAGE_NT_HEADERS*>(image + dos.e_lfanew);
  return {IMAGE_FIRST_SECTION(headers), headers->FileHeader.NumberOfSections};
}

bool is_named_shared(const IMAGE_SECTION_HEADER& header) {
  return std::strncmp(reinterpret_cast<const char*>(header.Name), "SHARED", sizeof(header.Name)) == 0;
}

/// The low bits of the handle of a module that was not loaded to be run say how it was loaded.
std::byte* image_of(HMODULE module) {
  return reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(module) & ~std::uintptr_t{3});
}

/// The table that fills the section SHARED of `module`.
Table* table_in(HMODULE module, const std::string& file) {
  std::byte* const image = image_of(module);
  const auto headers = section_headers(image);
  const auto found = std::ranges::find_if(headers, is_named_shared);
  if (found == headers.end() || found->Misc.VirtualSize < sizeof(Table)) {
    throw Failure(fmt::format("{} has no section SHARED with a table of ours", file), our_dll);
  }
  if ((found->Characteristics & IMAGE_SCN_MEM_SHARED) == 0) {
    throw Failure(fmt::format("section SHARED is not shared in {}: each copy would count itself alone", file),
                  "the compiler understood neither spelling of the section: see shared_table.cpp");
  }
  return reinterpret_cast<Table*>(image + found->VirtualAddress);
}

std::wstring own_file() {
  std::wstring path(MAX_PATH, L'\0');
  for (;;) {
    const DWORD length = GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size()));
    if (length < path.size()) return path.substr(0, length);
    path.resize(2 * path.size());
  }
}

/// Absolute: the system would search several folders for any other path.
std::wstring full_path(std::string_view path) {
  if (path.empty()) {
    const std::wstring program = own_file();
    return program.substr(0, program.rfind(L'\\') + 1) + L"share_data_table.dll";
  }
  const std::wstring name = to_utf16(path);
  std::wstring full(GetFullPathNameW(name.c_str(), 0, nullptr, nullptr), L'\0');
  full.resize(GetFullPathNameW(name.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr));
  return full;
}

}  // namespace

SharedSection SharedSection::of_program(const Log& log) {
  std::string file = to_utf8(own_file());
  Table* const table = table_in(GetModuleHandleW(nullptr), file);
  log.explain("{} is at {}, its section SHARED at {}: memory like any other", file, fmt::ptr(GetModuleHandleW(nullptr)),
              fmt::ptr(table));
  return {nullptr, table, std::move(file)};
}

// Mapped first and looked at, then loaded: a DLL that is loaded runs its code and loads those that it needs.
SharedSection SharedSection::of_dll(std::string_view path, const Log& log) {
  const std::wstring wide = full_path(path);
  std::string file = to_utf8(wide);
  const Module mapped = load(wide, LOAD_LIBRARY_AS_IMAGE_RESOURCE);
  if (table_in(mapped.get(), file)->magic != table_magic) {
    throw Failure(fmt::format("section SHARED of {} is not ours, or of another version", file), our_dll);
  }
  Module dll = load(wide, 0);
  Table* const table = table_in(dll.get(), file);
  log.explain("LoadLibrary({}) = {}, its section SHARED is at {}: memory like any other", file, fmt::ptr(dll.get()),
              fmt::ptr(table));
  return {std::move(dll), table, std::move(file)};
}

SharedSection::Module SharedSection::load(const std::wstring& file, DWORD flags) {
  Module module{LoadLibraryExW(file.c_str(), nullptr, flags)};
  if (!module) throw failed_call(static_cast<int>(GetLastError()), "LoadLibrary", to_utf8(file));
  return module;
}

std::string SharedSection::describe() const {
  return fmt::format("section SHARED at {}, {} KiB, shared by all that {} {}", fmt::ptr(table_), sizeof(Table) / 1024,
                     dll_ ? "load" : "run", file_);
}

}  // namespace share_data
