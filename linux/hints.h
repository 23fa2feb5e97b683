// What a person can do about an error of shmget(2) and its family.
#pragma once

#include <sys/types.h>

#include <string>

namespace share_data {

inline constexpr auto hint_other_key = "count under another key with --key";

/// May be empty, as all of them, where there is nothing to say.
[[nodiscard]] std::string hint_for_shmget(int error, key_t key);
[[nodiscard]] std::string hint_for_shmat(int error);

/// The login name, or `uid 1234` where /etc/passwd has none.
[[nodiscard]] std::string user_name(uid_t uid);

}  // namespace share_data
