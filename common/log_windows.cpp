#include <process.h>
#include <windows.h>

#include <algorithm>
#include <cstddef>
#include <cstdlib>
#include <ctime>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "log.h"
#include "stop_request.h"

namespace share_data {
namespace {

constexpr DWORD patience_for_a_note_ms = 1000;
constexpr DWORD patience_for_a_note_at_the_end_ms = 300;

std::error_code last_error() { return {static_cast<int>(GetLastError()), std::system_category()}; }

/// The console of standard output, which shows colours only in a mode that a program has to ask for
/// (https://learn.microsoft.com/windows/console/console-virtual-terminal-sequences). All programs in the console
/// share its mode, so it is put back at the end.
class Colors {
 public:
  Colors() {
    const auto before = mode();
    changed_ = before && !is_on(*before);
  }
  ~Colors() {
    const auto now = mode();
    if (changed_ && now) SetConsoleMode(console_, *now & ~DWORD{ENABLE_VIRTUAL_TERMINAL_PROCESSING});
  }
  Colors(const Colors&) = delete;
  Colors& operator=(const Colors&) = delete;

  /// Returns false if there is no console, or one that cannot show colours.
  [[nodiscard]] bool turn_on() const {
    const auto now = mode();
    return now && (is_on(*now) || SetConsoleMode(console_, *now | ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0);
  }

 private:
  static bool is_on(DWORD mode) { return (mode & ENABLE_VIRTUAL_TERMINAL_PROCESSING) != 0; }
  [[nodiscard]] std::optional<DWORD> mode() const {
    DWORD mode = 0;
    return GetConsoleMode(console_, &mode) != 0 ? std::optional{mode} : std::nullopt;
  }

  HANDLE console_ = GetStdHandle(STD_OUTPUT_HANDLE);
  bool changed_;
};

bool turn_colors_on() {
  static const Colors colors;
  return colors.turn_on();
}

/// As UTF-16, so that the console shows any path whatever its code page is, and the code page, which all
/// programs in the console share, stays as it is.
std::error_code write_console(HANDLE console, std::string_view text) {
  const std::wstring wide = to_utf16(text);
  DWORD written = 0;
  const bool done = WriteConsoleW(console, wide.data(), static_cast<DWORD>(wide.size()), &written, nullptr) != 0;
  return done ? std::error_code{} : last_error();
}

/// To a file or a pipe go the bytes as they are, with LF at the end of a line: the same output on every
/// system.
std::error_code write_file(HANDLE file, std::string_view text) {
  while (!text.empty()) {
    const std::size_t most = std::numeric_limits<DWORD>::max();
    DWORD written = 0;
    if (WriteFile(file, text.data(), static_cast<DWORD>(std::min(text.size(), most)), &written, nullptr) == 0) {
      return last_error();
    }
    text.remove_prefix(written);
  }
  return {};
}

std::error_code write(DWORD standard_handle, std::string_view text) {
  HANDLE handle = GetStdHandle(standard_handle);
  DWORD mode = 0;
  return GetConsoleMode(handle, &mode) != 0 ? write_console(handle, text) : write_file(handle, text);
}

unsigned __stdcall write_note(void* text) {
  const std::unique_ptr<std::string> note{static_cast<std::string*>(text)};
  (void)write(STD_ERROR_HANDLE, *note);
  return 0;
}

}  // namespace

// Never gives up. A caller that must not be held up calls it on a thread of its own. Another program that ends in
// the same console may have turned the colours off, so each coloured line turns them on.
std::error_code write_standard_output(std::string_view text) {
  if (text.find('\x1b') != std::string_view::npos) (void)turn_colors_on();
  return write(STD_OUTPUT_HANDLE, text);
}

// A pipe cannot be asked whether it would take more, so the write that may hang gets a thread of its own. As long
// as it hangs, the next notes are lost without a wait: many of them must not hold up the lines.
void write_standard_error(std::string_view text) {
  static HANDLE thread = nullptr;
  if (thread != nullptr) {
    if (WaitForSingleObject(thread, 0) != WAIT_OBJECT_0) return;
    CloseHandle(thread);
  }
  auto copy = std::make_unique<std::string>(text);
  thread = reinterpret_cast<HANDLE>(_beginthreadex(nullptr, 0, write_note, copy.get(), 0, nullptr));
  if (thread == nullptr) return;
  (void)copy.release();  // it is the thread's now
  WaitForSingleObject(thread, stop_request::made() ? patience_for_a_note_at_the_end_ms : patience_for_a_note_ms);
}

bool standard_output_wants_color() {
  const char* no_color = std::getenv("NO_COLOR");  // NOLINT(concurrency-mt-unsafe): read before any thread starts
  return (no_color == nullptr || *no_color == '\0') && turn_colors_on();
}

// A named pipe whose server has disconnected says ERROR_PIPE_NOT_CONNECTED.
bool reader_is_gone(const std::error_code& error) {
  const auto is = [&](DWORD code) { return error == std::error_code{static_cast<int>(code), std::system_category()}; };
  return is(ERROR_BROKEN_PIPE) || is(ERROR_NO_DATA) || is(ERROR_PIPE_NOT_CONNECTED);
}

void check_standard_descriptors() {
  DWORD flags = 0;
  if (GetHandleInformation(GetStdHandle(STD_OUTPUT_HANDLE), &flags) == 0) {
    throw std::system_error(last_error(), "standard output");
  }
}

std::wstring to_utf16(std::string_view text) {
  std::wstring wide(text.size(), L'\0');  // UTF-16 never has more units than UTF-8 has bytes
  const int length = MultiByteToWideChar(CP_UTF8, 0, text.data(), static_cast<int>(text.size()), wide.data(),
                                         static_cast<int>(wide.size()));
  wide.resize(static_cast<std::size_t>(std::max(length, 0)));
  return wide;
}

std::tm local_time(std::time_t seconds) {
  std::tm local{};
  (void)localtime_s(&local, &seconds);
  return local;
}

}  // namespace share_data
