#include "copy.h"

#include <fmt/format.h>
#include <sddl.h>

#include <array>
#include <atomic>
#include <cstddef>
#include <memory>
#include <regex>
#include <stdexcept>
#include <system_error>
#include <tuple>
#include <utility>

namespace share_data::test {
namespace {

using std::filesystem::path;

[[noreturn]] void fail(const char* call) {
  throw std::system_error(static_cast<int>(GetLastError()), std::system_category(), call);
}

std::wstring command_line(const path& exe, const std::vector<std::wstring>& arguments) {
  std::wstring line = L"\"" + exe.wstring() + L"\"";
  for (const auto& argument : arguments) {
    const bool plain = !argument.empty() && argument.find(L' ') == std::wstring::npos;
    line += plain ? L" " + argument : L" \"" + argument + L"\"";
  }
  return line;
}

std::pair<Handle, Handle> make_pipe() {
  HANDLE read_end = nullptr;
  HANDLE write_end = nullptr;
  // As small as can be: whoever writes to a pipe that nobody reads is stuck from the first line on.
  if (CreatePipe(&read_end, &write_end, nullptr, 1) == 0) fail("CreatePipe");
  return {Handle{read_end}, Handle{write_end}};
}

/// What CreateProcess takes to attach a process to a pseudo console.
class Attributes {
 public:
  explicit Attributes(void* console) {
    SIZE_T size = 0;
    InitializeProcThreadAttributeList(nullptr, 1, 0, &size);
    memory_.resize(size);
    if (InitializeProcThreadAttributeList(list(), 1, 0, &size) == 0) fail("InitializeProcThreadAttributeList");
    if (console == nullptr) return;
    if (UpdateProcThreadAttribute(list(), 0, PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, console, sizeof(console), nullptr,
                                  nullptr) == 0) {
      fail("UpdateProcThreadAttribute");
    }
  }
  ~Attributes() { DeleteProcThreadAttributeList(list()); }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  Attributes(Attributes&&) = delete;
  Attributes& operator=(Attributes&&) = delete;

  LPPROC_THREAD_ATTRIBUTE_LIST list() { return reinterpret_cast<LPPROC_THREAD_ATTRIBUTE_LIST>(memory_.data()); }

 private:
  std::vector<std::byte> memory_;
};

struct LocalFreed {
  void operator()(void* memory) const { LocalFree(memory); }
};

/// Starts a process by a call that returns whether it could. Wine on a busy machine fails with an internal error now
/// and then, and not again.
bool try_to_start(const std::function<bool()>& call) {
  for (int attempt = 1; !call(); ++attempt) {
    if (attempt == 5) return false;
    Sleep(100);
  }
  return true;
}

PROCESS_INFORMATION create_process(std::wstring line, const Start& start, HANDLE output, HANDLE errors) {
  Attributes attributes{start.console};
  STARTUPINFOEXW info{};
  info.StartupInfo.cb = sizeof(info);
  info.StartupInfo.dwFlags = STARTF_USESTDHANDLES;
  info.StartupInfo.hStdOutput = output;
  info.StartupInfo.hStdError = errors;
  if (start.console != nullptr) info.lpAttributeList = attributes.list();
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (start.security != nullptr) {
    ConvertStringSecurityDescriptorToSecurityDescriptorW(start.security, SDDL_REVISION_1, &descriptor, nullptr);
  }
  const std::unique_ptr<void, LocalFreed> guard{descriptor};
  SECURITY_ATTRIBUTES security{sizeof(security), descriptor, FALSE};
  PROCESS_INFORMATION process{};
  if (!try_to_start([&] {
        return CreateProcessW(nullptr, line.data(), &security, nullptr, TRUE,
                              EXTENDED_STARTUPINFO_PRESENT | CREATE_SUSPENDED, nullptr, nullptr, &info.StartupInfo,
                              &process) != 0;
      })) {
    fail("CreateProcess");
  }
  return process;
}

/// Ends its processes with the last handle to it, which is closed even where a test crashes.
Handle make_job() {
  Handle job{CreateJobObjectW(nullptr, nullptr)};
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits{};
  limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
  SetInformationJobObject(job.get(), JobObjectExtendedLimitInformation, &limits, sizeof(limits));
  return job;
}

}  // namespace

bool eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    Sleep(5);
  }
  return true;
}

std::filesystem::path full(const char* file) {
  // Under Wine a Unix path becomes one of drive Z: here.
  return std::filesystem::absolute(path{file}).make_preferred();
}

bool runs_under_wine() { return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != nullptr; }

std::wstring unique_name() {
  static std::atomic<unsigned> count{0};
  return L"test-" + std::to_wstring(GetCurrentProcessId()) + L"-" + std::to_wstring(++count);
}

Folder::Folder(const std::wstring& name_begins_with, const char* program)
    : path_(std::filesystem::temp_directory_path() / (name_begins_with + L"-" + unique_name())) {
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
  std::filesystem::copy_file(full(program), exe());
}

Folder::~Folder() {
  // The file stays locked until the system is through with the last copy.
  (void)eventually([&] {
    std::error_code error;
    std::filesystem::remove_all(path_, error);
    return !error;
  });
}

Collector::Collector() {
  std::tie(read_end_, write_end_) = make_pipe();
  SetHandleInformation(write_end_.get(), HANDLE_FLAG_INHERIT, HANDLE_FLAG_INHERIT);
}

Collector::~Collector() {
  if (thread_.joinable()) thread_.join();
}

void Collector::start() {
  thread_ = std::thread{[this] { read(); }};
}

void Collector::read() {
  std::array<char, 4096> buffer{};
  DWORD size = 0;
  while (ReadFile(read_end_.get(), buffer.data(), static_cast<DWORD>(buffer.size()), &size, nullptr) != 0) {
    const std::scoped_lock lock{mutex_};
    text_.append(buffer.data(), size);
  }
}

std::string Collector::text() const {
  const std::scoped_lock lock{mutex_};
  return text_;
}

Copy::Copy(const path& exe, std::vector<std::wstring> arguments)
    : Copy(exe, Start{.arguments = std::move(arguments)}) {}

Copy::Copy(const path& exe, Start start) : job_(make_job()) {
  const auto process =
      create_process(command_line(exe, start.arguments), start, output_.write_end(), errors_.write_end());
  process_ = Handle{process.hProcess};
  main_thread_ = Handle{process.hThread};
  pid_ = process.dwProcessId;
  AssignProcessToJobObject(job_.get(), process_.get());
  output_.close_write_end();
  errors_.close_write_end();
  if (start.read_output) output_.start();
  if (start.read_notes) errors_.start();
  if (!start.suspended) resume();
}

Copy::~Copy() { terminate(); }

std::optional<unsigned> Copy::shows() const {
  static const std::regex line{R"(\[(\d+)\]\s+(\d+) live[^\n]*\n)"};
  const std::string text = output();
  std::optional<unsigned> live;
  for (std::sregex_iterator match{text.begin(), text.end(), line}, end; match != end; ++match) {
    live = static_cast<unsigned>(std::stoul((*match)[2]));
  }
  return live;
}

std::optional<DWORD> Copy::exit_code() const {
  const auto limit = static_cast<DWORD>(std::chrono::milliseconds{patience}.count());
  DWORD code = 0;
  if (WaitForSingleObject(process_.get(), limit) != WAIT_OBJECT_0) return std::nullopt;
  return GetExitCodeProcess(process_.get(), &code) != 0 ? std::optional{code} : std::nullopt;
}

void Copy::terminate() const {
  TerminateProcess(process_.get(), 1);
  WaitForSingleObject(process_.get(), static_cast<DWORD>(std::chrono::milliseconds{patience}.count()));
}

PseudoConsole::PseudoConsole() {
  SetConsoleCtrlHandler(nullptr, FALSE);  // whoever ignores Ctrl+C, as this process may do, hands that down
  auto [read_end, write_end] = make_pipe();
  keyboard_ = std::move(write_end);
  HRESULT result = S_OK;
  if (!try_to_start([&, input = read_end.get()] {
        result = CreatePseudoConsole({80, 25}, input, screen_.write_end(), 0, &console_);
        return result == S_OK;
      })) {
    throw std::runtime_error(fmt::format("CreatePseudoConsole: {:#x}", static_cast<unsigned>(result)));
  }
  screen_.close_write_end();
  screen_.start();
}

PseudoConsole::~PseudoConsole() { close(); }

void PseudoConsole::close() {
  if (console_ != nullptr) ClosePseudoConsole(std::exchange(console_, nullptr));
}

// The event goes to the console of whoever calls, so a process has to be started there to call. (Windows
// would take the character 3 from the keyboard's pipe just as well, Wine does not.)
void PseudoConsole::send(DWORD event) const {
  const Copy sender{full(SEND_CONSOLE_EVENT_EXE), Start{.arguments = {std::to_wstring(event)}, .console = console_}};
  if (sender.exit_code() != DWORD{0}) throw std::runtime_error("cannot send the console event");
}

}  // namespace share_data::test
