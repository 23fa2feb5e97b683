#include "security.h"

#include <aclapi.h>
#include <sddl.h>

#include <fmt/format.h>
#include <fmt/xchar.h>

#include <string>

namespace share_data {
namespace {

/// Everybody, and app containers, whom that leaves out.
std::wstring allow_everybody(DWORD mask) { return fmt::format(L"(A;;{0:#x};;;WD)(A;;{0:#x};;;S-1-15-2-1)", mask); }

/// From text (https://learn.microsoft.com/windows/win32/secauthz/security-descriptor-string-format). Null if the
/// system refuses it, which stands for the usual security.
PSECURITY_DESCRIPTOR descriptor_of(const std::wstring& text) {
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1, &descriptor, nullptr);
  return descriptor;
}

}  // namespace

// The label: processes of low integrity may write, too
// (https://learn.microsoft.com/windows/win32/secauthz/mandatory-integrity-control).
ForEverybody::ForEverybody(DWORD mask)
    : descriptor_(descriptor_of(L"D:" + allow_everybody(mask) + L"S:(ML;;NW;;;LW)")),
      attributes_{sizeof(attributes_), descriptor_.get(), FALSE} {}

void let_everybody_watch(const Log& log) {
  void* const self = GetCurrentProcess();
  PSECURITY_DESCRIPTOR found = nullptr;
  GetSecurityInfo(self, SE_KERNEL_OBJECT, DACL_SECURITY_INFORMATION, nullptr, nullptr, nullptr, nullptr, &found);
  const std::unique_ptr<void, LocalFreed> before{found};
  wchar_t* text = nullptr;
  ConvertSecurityDescriptorToStringSecurityDescriptorW(found, SDDL_REVISION_1, DACL_SECURITY_INFORMATION, &text,
                                                       nullptr);
  const std::unique_ptr<wchar_t, LocalFreed> list{text};
  const std::wstring rights = text == nullptr ? L"" : text;
  if (!rights.starts_with(L"D:") || rights.find(L"NO_ACCESS_CONTROL") != std::wstring::npos) return;  // all may
  const std::unique_ptr<void, LocalFreed> after{
      descriptor_of(rights + allow_everybody(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION))};
  const bool done = after && SetKernelObjectSecurity(self, DACL_SECURITY_INFORMATION, after.get()) != 0;
  log.explain("SetKernelObjectSecurity: {}", done ? "everybody may wait for the end of this process" : "refused");
}

}  // namespace share_data
