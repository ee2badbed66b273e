#include "tests/support/softhsm_token.h"

#include <memory>
#include <set>
#include <stdexcept>

#include <dlfcn.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <p11-kit/pkcs11.h>

namespace keystay::test {
namespace {

using testing::HasSubstr;

struct CloseLibrary {
  void operator()(void* library) const { dlclose(library); }
};

// A program under test, in short: loads the module, never finalizes it.
class Program final {
 public:
  explicit Program(const std::filesystem::path& module) : library_(dlopen(module.c_str(), RTLD_NOW)) {
    auto get = reinterpret_cast<CK_C_GetFunctionList>(dlsym(library_.get(), "C_GetFunctionList"));
    get(&functions_);
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    EXPECT_EQ(functions_->C_Initialize(&arguments), CKR_OK);
  }

  std::set<std::string> labels() {
    CK_ULONG count = 0;
    EXPECT_EQ(functions_->C_GetSlotList(CK_TRUE, nullptr, &count), CKR_OK);
    std::vector<CK_SLOT_ID> slots(count);
    EXPECT_EQ(functions_->C_GetSlotList(CK_TRUE, slots.data(), &count), CKR_OK);
    std::set<std::string> labels;
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info;
      EXPECT_EQ(functions_->C_GetTokenInfo(slot, &info), CKR_OK);
      std::string label(reinterpret_cast<char*>(info.label), sizeof info.label);
      label.erase(label.find_last_not_of(' ') + 1);
      if ((info.flags & CKF_TOKEN_INITIALIZED) != 0) labels.insert(label);
    }
    return labels;
  }

 private:
  std::unique_ptr<void, CloseLibrary> library_;
  CK_FUNCTION_LIST* functions_ = nullptr;
};

// Each fixture of one program gets a working token of its own, although SoftHSM initialises once.
class EachTest : public testing::TestWithParam<const char*> {
 protected:
  SoftHsmToken token_{GetParam()};
};

TEST_P(EachTest, FindsItsOwnTokenAndNoOther) {
  EXPECT_EQ(Program(token_.module()).labels(), std::set<std::string>{GetParam()});
}
INSTANTIATE_TEST_SUITE_P(InOneProcess, EachTest, testing::Values("first", "second", "third"));

TEST(SoftHsmToken, ServesAnIndependentProgram) {
  const SoftHsmToken token("web");
  token.pkcs11_tool({"--keypairgen", "--key-type", "EC:prime256v1", "--label", "httpd", "--id", "01"});
  EXPECT_THAT(token.pkcs11_tool({"--list-objects"}), HasSubstr("httpd"));
  EXPECT_THAT(run_or_throw({"softhsm2-util", "--show-slots"}), HasSubstr(token.serial()));
}

TEST(SoftHsmToken, HoldsSeveralTokensWithTheSameLabel) {
  SoftHsmToken token("web");
  const std::string twin = token.add_token("web");
  const std::string other = token.add_token("other");
  EXPECT_EQ((std::set<std::string>{token.serial(), twin, other}).size(), 3u);
  Program program(token.module());
  EXPECT_EQ(program.labels(), (std::set<std::string>{"web", "other"}));
  EXPECT_THROW(token.add_token("too late"), std::logic_error);
}

TEST(SoftHsmToken, LivesAloneInAProcess) {
  const SoftHsmToken token;
  EXPECT_THROW(SoftHsmToken(), std::logic_error);
}

TEST(SoftHsmToken, WritesAConfigurationThatKeepsThePinInAPrivateFile) {
  const SoftHsmToken token;
  const std::string text = read_file(token.write_configuration("# more\n"));
  EXPECT_THAT(text, HasSubstr("[token.web]\nmodule = \"" + token.module().string()));
  EXPECT_THAT(text, HasSubstr("pin = \"file:" + token.pin_file().string()));
  EXPECT_THAT(text, testing::Not(HasSubstr(token.pin())));
  EXPECT_THAT(text, testing::EndsWith("# more\n"));
  EXPECT_EQ(read_file(token.pin_file()), token.pin() + "\n");
  EXPECT_EQ(std::filesystem::status(token.pin_file()).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace keystay::test
