#include "native/config/nearest.h"

#include <array>

#include <gtest/gtest.h>

namespace keystay::config {
namespace {

constexpr std::array<std::string_view, 4> kKnown{"module", "label", "sessions", "serial"};

TEST(Nearest, NamesTheWordAtTheSmallestDistance) {
  EXPECT_EQ(suggest("modul", kKnown), "did you mean \"module\"?");
  EXPECT_EQ(suggest("session", kKnown), "did you mean \"sessions\"?");
  EXPECT_EQ(suggest("lable", kKnown), "did you mean \"label\"?");
}

TEST(Nearest, NamesAllThatAreEquallyNear) {
  constexpr std::array<std::string_view, 2> known{"aa", "ab"};
  EXPECT_EQ(suggest("a", known), "did you mean \"aa\", \"ab\"?");
}

TEST(Nearest, ListsAllWhenNoneIsNear) {
  EXPECT_EQ(suggest("slot", kKnown), "known here: \"module\", \"label\", \"sessions\", \"serial\"");
  EXPECT_EQ(suggest("slot", {}), "nothing is known here");
}

}  // namespace
}  // namespace keystay::config
