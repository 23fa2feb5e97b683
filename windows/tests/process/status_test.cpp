// --status.
#include <gtest/gtest.h>

#include <windows.h>

#include <string>

#include "copies.h"

namespace share_data::test {
namespace {

TEST(Status, NamesAllWhoRunAndDisturbsNobody) {
  const Folder folder;
  EXPECT_EQ(output_of(folder, {L"--status"}), "0 live\n");
  EXPECT_EQ(output_of(folder, {L"--status", L"--json"}), "{\"live\":0,\"plain\":0,\"instances\":[]}\n");
  const Copy first{folder.exe()};
  const Copy second{folder.exe()};
  ASSERT_TRUE(eventually([&] { return first.shows() == 2U && second.shows() == 2U; }));
  const std::string before = first.output() + second.output();
  EXPECT_TRUE(matches(output_of(folder, {L"--status"}), "^2 live\n +PID +RUNNING\n( +\\d+ +0:00:\\d\\d\n){2}$"));
  const std::string json = output_of(folder, {L"--status", L"--json"});
  EXPECT_TRUE(matches(json, R"(^\{"live":2,"plain":2,"instances":\[\{"pid":\d+,"seconds":\d+\.\d\d\},)"
                            R"(\{"pid":\d+,"seconds":\d+\.\d\d\}\]\}\n$)"))
      << json;
  EXPECT_NE(json.find("\"pid\":" + std::to_string(second.pid())), std::string::npos) << json;
  EXPECT_EQ(first.output() + second.output(), before);
}

TEST(Status, OfAMappingDoesNotCreateIt) {
  const Folder folder;
  const std::wstring name = unique_name();
  EXPECT_EQ(output_of(folder, {L"--via", L"mapping", L"--name", name, L"--status"}), "0 live\n");
  const Copy copy{folder.exe(), {L"--via", L"mapping", L"--name", name}};
  ASSERT_TRUE(eventually([&] { return copy.shows() == 1U; }));
  EXPECT_TRUE(output_of(folder, {L"--via", L"mapping", L"--name", name, L"--status"}).starts_with("1 live\n"));
}

}  // namespace
}  // namespace share_data::test
