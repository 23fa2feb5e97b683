#include "crowd.h"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace share_data::bench {
namespace {

constexpr std::chrono::seconds patience{60};

[[noreturn]] void fail(const char* call) {
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), call);
}

/// Ends its processes with the last handle to it, which the system closes if the harness is killed.
HANDLE job() {
  static const Handle job{CreateJobObjectW(nullptr, nullptr)};
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits, sizeof(limits));
  return job.get();
}

}  // namespace

Process::Process(std::wstring command_line) {
  HANDLE read_end = nullptr;
  HANDLE write_end = nullptr;
  if (CreatePipe(&read_end, &write_end, nullptr, 0) == 0) fail("CreatePipe");
  output_ = Handle{read_end};
  const Handle output{write_end};
  create(std::move(command_line), write_end);
  reader_ = std::thread{[this] { read(); }};
}

Process::~Process() {
  terminate();
  WaitForSingleObject(process_.get(), INFINITE);
  reader_.join();
}

void Process::create(std::wstring command_line, HANDLE output) {
  STARTUPINFOW info{};
  info.cb = sizeof(info);
  info.dwFlags = STARTF_USESTDHANDLES;
  info.hStdOutput = output;
  info.hStdError = GetStdHandle(STD_ERROR_HANDLE);
  PROCESS_INFORMATION created{};
  SetHandleInformation(output, HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
  // Wine fails with an internal error now and then, and not again.
  constexpr int most_attempts = 5;
  for (int attempt = 1;
       CreateProcessW(nullptr, command_line.data(), nullptr, nullptr, TRUE, 0, nullptr, nullptr, &info, &created) == 0;
       ++attempt) {
    if (GetLastError() != ERROR_INTERNAL_ERROR || attempt == most_attempts) fail("CreateProcess");
    Sleep(10);
  }
  const Handle thread{created.hThread};
  process_ = Handle{created.hProcess};
  pid_ = created.dwProcessId;
  main_thread_ = created.dwThreadId;
  AssignProcessToJobObject(job(), process_.get());
}

void Process::read() {
  std::array<char, 4096> buffer{};
  std::string text;
  DWORD size = 0;
  while (ReadFile(output_.get(), buffer.data(), static_cast<DWORD>(buffer.size()), &size, nullptr) != 0) {
    const auto now = Clock::now();
    text.append(buffer.data(), size);
    const std::size_t end = text.rfind(" live");
    if (end == std::string::npos) continue;
    const std::size_t before = text.find_last_not_of("0123456789", end - 1);
    read_at_ = now;
    shown_ = static_cast<std::uint32_t>(std::stoul(text.substr(before + 1, end - before)));
    text.erase(0, end + 1);
  }
}

// The time is the reader's. So this may look now and then: it takes no time from those whom it measures.
Clock::time_point Process::wait_for(std::uint32_t live) const {
  const auto deadline = Clock::now() + patience;
  while (shown_ != live) {
    if (Clock::now() > deadline) {
      throw std::runtime_error("process " + std::to_string(pid_) + " shows " + std::to_string(shown_) + " instead of " +
                               std::to_string(live));
    }
    Sleep(2);
  }
  return read_at_;
}

Clock::time_point Crowd::wait_for(std::uint32_t live) const {
  Clock::time_point last{};
  for (const auto& process : processes_) last = std::max(last, process->wait_for(live));
  return last;
}

}  // namespace share_data::bench
