#include "native/pkcs11/pin.h"

#include <fstream>
#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace keystay::pkcs11 {
namespace {

std::string text(const Pin& pin) { return {pin.bytes().begin(), pin.bytes().end()}; }

TEST(Pin, HoldsItsBytes) {
  const Pin pin("123456");
  EXPECT_EQ(pin.size(), 6u);
  EXPECT_EQ(text(pin), "123456");
}

TEST(Pin, MayBeEmptyOrHoldAnyUtf8) {
  EXPECT_EQ(Pin("").size(), 0u);
  EXPECT_EQ(text(Pin("pässwört\n")), "pässwört\n");
}

TEST(Pin, MovesAndLeavesNothingBehind) {
  Pin first("123456");
  Pin second(std::move(first));
  EXPECT_EQ(text(second), "123456");
  EXPECT_EQ(first.size(), 0u);  // NOLINT(bugprone-use-after-move): what is left behind is the point
  Pin third("999");
  third = std::move(second);
  EXPECT_EQ(text(third), "123456");
}

TEST(Pin, EqualsOnlyItsLike) {
  const Pin pin("123456");
  EXPECT_TRUE(pin.equals(Pin("123456")));
  EXPECT_FALSE(pin.equals(Pin("123457")));
  EXPECT_FALSE(pin.equals(Pin("12345")));
  EXPECT_FALSE(pin.equals(Pin("")));
  EXPECT_TRUE(Pin("").equals(Pin("")));
}

// The flags of the mapping that holds this address (proc(5), /proc/PID/smaps: VmFlags); empty if the system
// does not say.
std::string mapping_flags(const void* address) {
  std::ifstream smaps("/proc/self/smaps");
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0;
    std::uintptr_t end = 0;
    if (std::sscanf(line.c_str(), "%lx-%lx ", &begin, &end) == 2) inside = begin <= wanted && wanted < end;
    if (inside && line.starts_with("VmFlags:")) return line;
  }
  return {};
}

TEST(Pin, IsKeptOutOfCoreFiles) {
  const Pin pin("123456");
  const std::string flags = mapping_flags(pin.bytes().data());
  if (flags.empty()) GTEST_SKIP() << "/proc/self/smaps has no VmFlags here";
  EXPECT_NE(flags.find(" dd"), std::string::npos) << flags;
}

}  // namespace
}  // namespace keystay::pkcs11
