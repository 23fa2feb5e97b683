// More copies than one can watch.
#include <gtest/gtest.h>

#include <windows.h>

#include <iterator>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Crowd, OfSeventyCopiesAllShowTheTruthAfterSomeAreKilled) {
  const Folder folder;
  Copies copies;
  start(copies, 70, folder.exe());
  ASSERT_TRUE(all_show(copies, 70)) << all_output(copies);
  copies.front().terminate();
  copies.pop_front();
  EXPECT_TRUE(all_show(copies, 69)) << all_output(copies);
  copies.pop_back();
  copies.erase(std::next(copies.begin(), 30));
  EXPECT_TRUE(all_show(copies, 67)) << all_output(copies);
}

}  // namespace
}  // namespace share_data::test
