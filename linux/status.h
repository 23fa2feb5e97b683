// --status: shows who is running. It only looks.
#pragma once

#include <sys/types.h>

#include "log.h"

namespace share_data {

/// Throws Failure, and std::system_error if standard output takes no more.
void print_status(key_t key, const Log& log);

}  // namespace share_data
