// --status: who is running, told without joining them.
#pragma once

#include "log.h"
#include "table.h"

namespace share_data {

/// Prints the count and the live copies in `table`, which may be null: then nobody is running. Changes
/// nothing. Throws std::system_error where standard output does not take it.
void print_status(const Table* table, const Log& log);

}  // namespace share_data
