#include "opponents.h"

#include <fmt/format.h>

#include <cstring>

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

Copies::Copies(std::uint32_t count) {
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(copy_command(key));
  crowd.wait_for(count);
}

RawWaiters::RawWaiters(std::uint32_t count) : segment(sizeof(RawBoard)) {
  board().live = count;
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(limit_command(role::wait, segment.key()));
  crowd.wait_for(count);
}

void RawWaiters::reset() {
  wake_all(board());
  crowd.wait_for(board().live);
}

Article::Article(std::uint32_t count) : segment(article_text_size) {
  for (std::uint32_t i = 0; i < count; ++i) crowd.start(article_command(segment.key()));
  crowd.wait_for_any();  // from now on nobody but the harness changes the count
}

void Article::set(std::uint32_t live) {
  const std::string text = fmt::format("{:<{}}", live, article_text_size);
  std::memcpy(segment.address(), text.data(), article_text_size);
}

void settle(std::uint32_t count) { pause_for(std::chrono::milliseconds{80 + count / 4}); }

}  // namespace share_data::bench
