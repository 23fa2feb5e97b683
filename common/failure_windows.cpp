#include <windows.h>

#include <array>
#include <cstddef>
#include <string>

#include <fmt/format.h>

#include "failure.h"

namespace share_data {
namespace {

constexpr auto other_kind = "the name is taken by an object of another kind; take one of your own with --name";
constexpr auto no_rights =
    "whoever created the mapping of this name does not let us use it: another program or another version of this one; "
    "take a name of your own with --name";
constexpr auto no_dll = "share_data_table.dll belongs beside share_data.exe; or say with --dll where it is";

constexpr std::array hints{
    Hint{"FileMapping", ERROR_INVALID_HANDLE, other_kind},
    Hint{"FileMapping", ERROR_ACCESS_DENIED, no_rights},
    Hint{"CreateFileMapping", ERROR_PATH_NOT_FOUND, "not a valid name for an object; choose another one with --name"},
    Hint{"CreateFileMapping", ERROR_COMMITMENT_LIMIT,
         "no memory left for 17 KiB; close programs, or enlarge the paging file"},
    Hint{"MapViewOfFile", ERROR_NOT_ENOUGH_MEMORY, "no address space left for 17 KiB"},
    Hint{"LoadLibrary", ERROR_FILE_NOT_FOUND, no_dll},
    Hint{"LoadLibrary", ERROR_PATH_NOT_FOUND, no_dll},
    Hint{"LoadLibrary", ERROR_MOD_NOT_FOUND, no_dll},
    Hint{"LoadLibrary", ERROR_BAD_EXE_FORMAT, "no DLL, or one for another processor; see --dll"},
    Hint{"GetProcessTimes", 0, "a program that watches over this one forbids the call, which the count is built on"},
    Hint{"SetConsoleCtrlHandler", 0, "without it, this copy could not leave when its window is closed"},
    Hint{"CreateThreadpoolTimer", 0, "no memory left for the timer of --for"},
    Hint{"CreateEvent", ERROR_ACCESS_DENIED, "an event of this name belongs to another program"},
    Hint{"CreateEvent", 0, "no memory left for an event"},
    Hint{"WaitForMultipleObjects", 0, "this is a bug in share_data"},
};

}  // namespace

std::span<const Hint> hints_for_calls() { return hints; }

// Before Windows 10 1903, std::system_category() takes the message in a code page in which umlauts are no UTF-8.
std::string system_message(int error) {
  constexpr DWORD flags = FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS | FORMAT_MESSAGE_MAX_WIDTH_MASK;
  std::array<wchar_t, 512> wide{};
  std::array<char, 3 * wide.size()> text{};  // one unit of UTF-16 never takes more than 3 bytes
  const DWORD units = FormatMessageW(flags, nullptr, static_cast<DWORD>(error), 0, wide.data(),
                                     static_cast<DWORD>(wide.size()), nullptr);
  const int bytes = WideCharToMultiByte(CP_UTF8, 0, wide.data(), static_cast<int>(units), text.data(),
                                        static_cast<int>(text.size()), nullptr, nullptr);
  std::string message(text.data(), static_cast<std::size_t>(bytes));
  message.erase(message.find_last_not_of(". ") + 1);
  return fmt::format("{} (error {})", message.empty() ? "unknown error" : message, error);
}

}  // namespace share_data
