#include "win32.h"

#include <aclapi.h>
#include <sddl.h>

#include <fmt/format.h>
#include <fmt/xchar.h>

#include <cstddef>

#include "log.h"

namespace share_data {
namespace {

/// From text (https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format).
std::shared_ptr<void> descriptor_of(const std::wstring& text) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1, &descriptor, nullptr);
  return {descriptor, LocalFree};
}

/// As text, who may do what with this process. Empty if the system does not tell.
std::wstring own_access_list() {
  PSECURITY_DESCRIPTOR found = nullptr;
  GetSecurityInfo(GetCurrentProcess(), SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, nullptr, nullptr,
                  &found);
  const std::shared_ptr<void> descriptor{found, LocalFree};
  wchar_t* text = nullptr;
  ConvertSecurityDescriptorToStringSecurityDescriptorW(found, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text,
                                                       nullptr);
  const std::shared_ptr<wchar_t> list{text, LocalFree};
  return text == nullptr ? L"" : text;
}

}  // namespace

std::string to_utf8(std::wstring_view utf16) {
  std::string text(3 * utf16.size(), '\0');  // one unit never takes more than 3 bytes
  const int length = WideCharToMultiByte(CP_UTF8, 0, utf16.data(), static_cast<int>(utf16.size()), text.data(),
                                         static_cast<int>(text.size()), nullptr, nullptr);
  text.resize(static_cast<std::size_t>(length));
  return text;
}

// The label: processes of low integrity may write, too
// (https://learn.microsoft.com/windows/win32/secauthz/mandatory-integrity-control).
std::shared_ptr<void> for_everybody(DWORD mask) {
  return descriptor_of(fmt::format(L"D:(A;;{:#x};;;WD)S:(ML;;NW;;;LW)", mask));
}

// S-1-15-2-1: --status in an app container, which "everybody" (WD) leaves out.
bool let_everybody_watch(const Log& log) {
  const std::wstring rights = own_access_list();
  if (!rights.starts_with(L"D:") || rights.find(L"NO_ACCESS_CONTROL") != std::wstring::npos) return true;  // all may
  const auto more = descriptor_of(fmt::format(L"{0}(A;;{1:#x};;;WD)(A;;{1:#x};;;S-1-15-2-1)", rights, rights_to_watch));
  const bool done = more && SetKernelObjectSecurity(GetCurrentProcess(), DACL_SECURITY_INFORMATION, more.get()) != 0;
  log.explain("SetKernelObjectSecurity: {}", done ? "everybody may wait for the end of this process" : "refused");
  return done;
}

bool is_in_app_container() {
  HANDLE opened = nullptr;
  OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &opened);
  const Handle token{opened};
  DWORD answer = 0;
  DWORD size = 0;
  return GetTokenInformation(token.get(), TokenIsAppContainer, &answer, sizeof(answer), &size) != 0 && answer != 0;
}

}  // namespace share_data
