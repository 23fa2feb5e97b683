// The first way to share memory: a section of the executable file, marked as shared.
#pragma once

#include <cstddef>
#include <string>

#include "table.h"

namespace share_data {

/// The table in the section SHARED. All processes that run the same .exe file have it at once, from their
/// first instruction on; the system makes it from the file for the first of them and throws it away with the
/// last.
///
/// Throws Failure where the compiler or linker has not made a shared section of it, in which case each
/// process would count itself alone.
[[nodiscard]] Table& shared_section();

/// `section SHARED at 0x140008000, 33 KiB, shared by all that run C:\demo\share_data.exe`
[[nodiscard]] std::string describe_shared_section();

}  // namespace share_data
