#include <gtest/gtest.h>
#include <windows.h>

#include <string>
#include <system_error>

#include "log.h"

namespace share_data::test {
namespace {

/// While it lives, standard output is `handle`, which it closes.
class StandardOutput {
 public:
  explicit StandardOutput(HANDLE handle) : handle_(handle) { SetStdHandle(STD_OUTPUT_HANDLE, handle); }
  ~StandardOutput() {
    SetStdHandle(STD_OUTPUT_HANDLE, original_);
    CloseHandle(handle_);
  }
  StandardOutput(const StandardOutput&) = delete;
  StandardOutput& operator=(const StandardOutput&) = delete;

 private:
  HANDLE original_ = GetStdHandle(STD_OUTPUT_HANDLE);
  HANDLE handle_;
};

TEST(ReaderIsGone, IfTheServerOfTheNamedPipeHasDisconnected) {
  const std::wstring name = L"\\\\.\\pipe\\share_data-test-" + std::to_wstring(GetCurrentProcessId());
  HANDLE server = CreateNamedPipeW(name.c_str(), PIPE_ACCESS_INBOUND, PIPE_TYPE_BYTE, 1, 0, 0, 0, nullptr);
  ASSERT_NE(server, INVALID_HANDLE_VALUE);
  const StandardOutput output{CreateFileW(name.c_str(), GENERIC_WRITE, 0, nullptr, OPEN_EXISTING, 0, nullptr)};
  DisconnectNamedPipe(server);
  const std::error_code error = write_standard_output("x");
  EXPECT_EQ(error.value(), ERROR_PIPE_NOT_CONNECTED);
  EXPECT_TRUE(reader_is_gone(error));
  CloseHandle(server);
}

TEST(ReaderIsGone, NotIfStandardOutputIsClosed) {
  const StandardOutput output{nullptr};
  const std::error_code error = write_standard_output("x");
  EXPECT_TRUE(error);
  EXPECT_FALSE(reader_is_gone(error));
}

}  // namespace
}  // namespace share_data::test
