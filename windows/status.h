// --status: who is running, told without joining them.
#pragma once

#include <optional>

#include "log.h"
#include "shared_memory.h"

namespace share_data {

/// Prints the count and the live copies in `memory`; if it is empty, nobody is running. With --explain also the memory,
/// word by word. Throws std::system_error if standard output takes no more.
void print_status(const std::optional<SharedMemory>& memory, const Log& log);

}  // namespace share_data
