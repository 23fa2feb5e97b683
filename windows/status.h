// --status: who is running, told without joining them.
#pragma once

#include <string>

#include "log.h"
#include "table.h"

namespace share_data {

/// Prints the count and the live copies in `table`, which may be null: then nobody is running. With --explain also the
/// memory, which lies at `where`, word by word. Throws std::system_error if standard output takes no more.
void print_status(const Table* table, const std::string& where, const Log& log);

}  // namespace share_data
