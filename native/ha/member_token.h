// A member of a group as the configuration describes it.
#pragma once

#include <memory>
#include <string>

#include "native/keys/key_source.h"

namespace keystay::ha {

struct MemberToken {
  std::string name;  // of [token.NAME]
  std::string zone;  // empty: none
  std::shared_ptr<keys::KeySource> source;

  bool operator==(const MemberToken&) const = default;
};

}  // namespace keystay::ha
