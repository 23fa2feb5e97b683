#include "shared_memory.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "failure.h"
#include "win32.h"

namespace share_data {
namespace {

using Module = std::shared_ptr<HINSTANCE__>;

constexpr auto our_dll = "--dll takes a copy of share_data_table.dll, which comes with share_data.exe";
constexpr DWORD read_write = FILE_MAP_READ | FILE_MAP_WRITE;

/// The table that fills the section SHARED of `module`, which has the layout of its file
/// (https://learn.microsoft.com/windows/win32/debug/pe-format#section-table-section-headers).
Table* table_in(HMODULE module, const std::string& file) {
  // The low bits of the handle of a module that was not loaded to be run say how it was loaded.
  auto* const image = reinterpret_cast<std::byte*>(reinterpret_cast<std::uintptr_t>(module) & ~std::uintptr_t{3});
  const auto* const dos = reinterpret_cast<const IMAGE_DOS_HEADER*>(image);
  const auto* const headers = reinterpret_cast<const IMAGE_NT_HEADERS*>(image + dos->e_lfanew);
  const IMAGE_SECTION_HEADER* const first = IMAGE_FIRST_SECTION(headers);
  const auto* const last = first + headers->FileHeader.NumberOfSections;
  const auto* const found = std::find_if(first, last, [](const auto& header) {
    return std::strncmp(reinterpret_cast<const char*>(header.Name), "SHARED", sizeof(header.Name)) == 0;
  });
  if (found == last || found->Misc.VirtualSize < sizeof(Table)) {
    throw Failure(fmt::format("{} has no section SHARED with a table of ours", file), our_dll);
  }
  if ((found->Characteristics & IMAGE_SCN_MEM_SHARED) == 0) {
    throw Failure(fmt::format("section SHARED is not shared in {}: each copy would count itself alone", file),
                  "the compiler understood neither spelling of the section: see shared_table.cpp");
  }
  return reinterpret_cast<Table*>(image + found->VirtualAddress);
}

SharedMemory section_in(const Module& module, std::string_view how, const std::string& file, const Log& log) {
  std::shared_ptr<Table> table{module, table_in(module.get(), file)};
  log.explain("{} is at {}, its section SHARED at {}: memory like any other", file, fmt::ptr(module.get()),
              fmt::ptr(table.get()));
  std::string text = fmt::format("section SHARED at {}, {} KiB, shared by all that {} {}", fmt::ptr(table.get()),
                                 sizeof(Table) / 1024, how, file);
  return {std::move(table), std::move(text)};
}

std::wstring own_file() {
  std::wstring path(32'768, L'\0');  // no path is longer
  path.resize(GetModuleFileNameW(nullptr, path.data(), static_cast<DWORD>(path.size())));
  return path;
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

Module load(const std::wstring& file, DWORD flags) {
  Module module{LoadLibraryExW(file.c_str(), nullptr, flags), FreeLibrary};
  if (!module) throw failed_call(static_cast<int>(GetLastError()), "LoadLibrary", to_utf8(file));
  return module;
}

/// True if these are the pages of a table: as many as it takes, and all there to be used. Memory that is only
/// reserved, or part of a program, would crash whoever touches it.
bool has_our_shape(const void* view, bool writable) {
  constexpr std::size_t page = 4096;  // on all processors that Windows 10 runs on
  constexpr std::size_t size = (sizeof(Table) + page - 1) / page * page;
  MEMORY_BASIC_INFORMATION info{};
  return VirtualQuery(view, &info, sizeof(info)) != 0 && info.RegionSize == size && info.State == MEM_COMMIT &&
         info.Type == MEM_MAPPED && (info.Protect == PAGE_READWRITE || (info.Protect == PAGE_READONLY && !writable));
}

/// A table, or zeros that become one: the first copy writes the magic, in one step.
bool is_or_becomes_ours(Table& table, bool writable) {
  const bool empty = std::ranges::all_of(table.slots, [](const auto& slot) { return slot == 0; });
  std::uint64_t magic = table.magic;
  if (magic == 0 && empty && writable) table.magic.compare_exchange_strong(magic, table_magic);
  return table.magic == table_magic || (magic == 0 && empty && !writable);
}

/// Throws Failure unless a table of ours lies in `mapping`. The handle lives as long as the view: without one, the name
/// would be gone.
SharedMemory view_of(Handle mapping, const std::string& name, DWORD access, std::string_view how, const Log& log) {
  void* const view = MapViewOfFile(mapping.get(), access, 0, 0, 0);  // 0: all there is
  if (view == nullptr) throw failed_call(static_cast<int>(GetLastError()), "MapViewOfFile", name);
  const auto unmap = [owner = std::shared_ptr<void>{std::move(mapping)}](Table* table) { UnmapViewOfFile(table); };
  std::shared_ptr<Table> table{static_cast<Table*>(view), unmap};
  const bool writable = (access & FILE_MAP_WRITE) != 0;
  if (!has_our_shape(view, writable) || !is_or_becomes_ours(*table, writable)) {
    throw Failure(fmt::format("the mapping {} is not ours, or of another version", name),
                  "another program uses this name; take one of your own with --name");
  }
  log.explain("MapViewOfFile = {}: from here on, it is memory like any other", fmt::ptr(view));
  return {std::move(table),
          fmt::format("{} mapping {}, {} KiB, at {}", how, name, sizeof(Table) / 1024, fmt::ptr(view))};
}

}  // namespace

SharedMemory section_of_program(const Log& log) {
  const Module program{Module{}, GetModuleHandleW(nullptr)};  // not to be unloaded
  return section_in(program, "run", to_utf8(own_file()), log);
}

// Mapped first and looked at, then loaded: a DLL that is loaded runs its code and loads those that it needs.
SharedMemory section_of_dll(std::string_view path, const Log& log) {
  const std::wstring wide = full_path(path);
  const std::string file = to_utf8(wide);
  const Module mapped = load(wide, LOAD_LIBRARY_AS_IMAGE_RESOURCE);
  if (table_in(mapped.get(), file)->magic != table_magic) {
    throw Failure(fmt::format("section SHARED of {} is not ours, or of another version", file), our_dll);
  }
  return section_in(load(wide, 0), "load", file, log);
}

// `Local\` is the namespace of the session
// (https://learn.microsoft.com/windows/win32/termserv/kernel-object-namespaces).
std::optional<SharedMemory> open_existing_mapping(std::string_view name, const Log& log, DWORD access) {
  const std::string object = fmt::format("Local\\{}", name);
  Handle mapping{OpenFileMappingW(access, FALSE, to_utf16(object).c_str())};
  const DWORD error = GetLastError();
  log.explain("OpenFileMapping({}) = {}", object, mapping ? "a handle" : "none");
  if (mapping) return view_of(std::move(mapping), object, access, "attached to", log);
  if (error == ERROR_FILE_NOT_FOUND) return std::nullopt;
  throw failed_call(static_cast<int>(error), "OpenFileMapping", object);
}

// Opening comes first: to create a mapping that exists already means to ask for more rights than it gives.
SharedMemory open_or_create_mapping(std::string_view name, const Log& log) {
  const auto security = for_everybody(SECTION_QUERY | SECTION_MAP_READ | SECTION_MAP_WRITE);
  SECURITY_ATTRIBUTES attributes{sizeof(attributes), security.get(), FALSE};
  const std::string object = fmt::format("Local\\{}", name);
  // Somebody may create or close it between the two calls, but hardly this often in a row.
  for (int attempts_left = 500;; --attempts_left) {
    if (auto memory = open_existing_mapping(name, log, read_write)) return *memory;
    Handle mapping{CreateFileMappingW(INVALID_HANDLE_VALUE, &attributes, PAGE_READWRITE, 0, sizeof(Table),
                                      to_utf16(object).c_str())};
    const DWORD error = GetLastError();
    log.explain("CreateFileMapping({}) = {}", object, mapping ? "a handle" : "none");
    const bool came_late = error == ERROR_ALREADY_EXISTS || error == ERROR_ACCESS_DENIED;
    if (mapping && !came_late) return view_of(std::move(mapping), object, read_write, "created", log);
    if (!came_late || attempts_left == 0) throw failed_call(static_cast<int>(error), "CreateFileMapping", object);
  }
}

}  // namespace share_data
