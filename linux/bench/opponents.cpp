#include "opponents.h"

#include <array>
#include <cstdio>
#include <cstring>

#include "futex.h"

namespace share_data::bench {
namespace {

constexpr std::size_t article_text_size = 5;

std::vector<std::string> arguments(const char* name, const OwnKey& key) {
  return {name, "--quiet", "--color", "never", "--key", key.text()};
}

}  // namespace

Command copy_command(const OwnKey& key) {
  return {.program = SHARE_DATA_PROGRAM, .arguments = arguments("share_data", key)};
}

Command limit_command(const char* role, const OwnKey& key) {
  return {.program = LIMIT_PROGRAM, .arguments = arguments(role, key)};
}

Command article_command(const OwnKey& key) {
  return {.program = ARTICLE_PROGRAM, .arguments = {"share_data_article_way", key.text()}};
}

Copies::Copies(std::uint32_t count, const StopSignals& stop) : crowd(stop) {
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(copy_command(key));
  crowd.wait_for(count);
}

RawWaiters::RawWaiters(std::uint32_t count, const StopSignals& stop) : segment_(sizeof(RawBoard)), crowd(stop) {
  board().live = count;
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(limit_command(role::wait, key()));
  crowd.wait_for(count);
}

void RawWaiters::wake() {
  ++board().changes;
  futex_wake_all(board().changes, FutexScope::system);
}

Article::Article(std::uint32_t count, const StopSignals& stop) : segment_(article_text_size), crowd(stop) {
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(article_command(key()));
  crowd.wait_for_any();  // from now on nobody but the harness changes the count
}

void Article::set(std::uint32_t live) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%u", live);
  std::memcpy(segment_.address(), text.data(), article_text_size);
}

std::chrono::milliseconds settling_time(std::uint32_t count) { return std::chrono::milliseconds{80 + count / 4}; }

}  // namespace share_data::bench
