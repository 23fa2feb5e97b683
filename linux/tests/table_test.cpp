#include "table.h"

#include <gtest/gtest.h>

namespace share_data::test {
TEST(Table, X) {}
}  // namespace share_data::test
