// Memory in a section of a program file or DLL that is marked as shared.
#pragma once

#include <windows.h>

#include <memory>
#include <string>
#include <string_view>

#include "log.h"
#include "table.h"

namespace share_data {

/// The table in the section SHARED of a file (shared_table.cpp). All processes of a session that run or load the same
/// file have it at once. The system makes it from the file for the first of them and throws it away with the last.
///
/// All of it throws Failure, above all if the section is not marked as shared: each process would count itself alone.
class SharedSection {
 public:
  /// The one of the program that runs.
  [[nodiscard]] static SharedSection of_program(const Log& log);

  /// The one of the DLL at `path`, UTF-8; if that is empty, of share_data_table.dll beside the program. A DLL that is
  /// not ours is refused before any of its code runs.
  [[nodiscard]] static SharedSection of_dll(std::string_view path, const Log& log);

  [[nodiscard]] Table& table() const { return *table_; }

  /// `section SHARED at 0x140008000, 33 KiB, shared by all that run C:\demo\share_data.exe`
  [[nodiscard]] std::string describe() const;

 private:
  struct Unload {
    void operator()(HMODULE module) const { FreeLibrary(module); }
  };
  using Module = std::unique_ptr<HINSTANCE__, Unload>;

  SharedSection(Module dll, Table* table, std::string file)
      : dll_(std::move(dll)), table_(table), file_(std::move(file)) {}

  [[nodiscard]] static Module load(const std::wstring& file, DWORD flags);

  Module dll_;  ///< empty for the program itself
  Table* table_;
  std::string file_;
};

}  // namespace share_data
