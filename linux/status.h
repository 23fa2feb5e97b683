// --status: who is running, without joining, creating or changing anything.
#pragma once

#include <sys/types.h>

#include <system_error>

#include "log.h"

namespace share_data {

/// Prints the count and who is running. The segment is attached read-only, so nothing can be changed. Throws
/// Failure.
[[nodiscard]] std::error_code print_status(key_t key, const Log& log);

}  // namespace share_data
