// The contract of native/config/provider_capability.h: keystay.toml is read again, and the reload is undone
// where the application cannot use what it brought.
#include <filesystem>
#include <fstream>
#include <string>

#include <openssl/core_names.h>
#include <openssl/params.h>

#include "native/config/provider_capability.h"
#include "tests/provider/provider_test.h"
#include "tests/provider/signing.h"

namespace keystay::test {
namespace {

using testing::HasSubstr;

struct Reload {
  config::ReloadFunction reload = nullptr;
  config::ReloadFunction check = nullptr;
  config::ReloadFunction restore = nullptr;
  void* argument = nullptr;
};

void* pointer(const OSSL_PARAM params[], const char* name) {
  const OSSL_PARAM* param = OSSL_PARAM_locate_const(params, name);
  const void* value = nullptr;
  std::size_t size = 0;
  if (!param || OSSL_PARAM_get_octet_ptr(param, &value, &size) != 1) return nullptr;
  return const_cast<void*>(value);
}

int take(const OSSL_PARAM params[], void* result) {
  auto& taken = *static_cast<Reload*>(result);
  taken.reload = reinterpret_cast<config::ReloadFunction>(pointer(params, config::kReloadParameter));
  taken.check = reinterpret_cast<config::ReloadFunction>(pointer(params, config::kCheckParameter));
  taken.restore = reinterpret_cast<config::ReloadFunction>(pointer(params, config::kRestoreParameter));
  taken.argument = pointer(params, config::kReloadArgumentParameter);
  return 1;
}

class ReloadTest : public ProviderTest {
 protected:
  ReloadTest() {
    EXPECT_EQ(OSSL_PROVIDER_get_capabilities(context_.keystay(), config::kReloadCapability, &take, &reload_),
              1);
  }

  // keystay.toml with a token that is not there.
  static void configure_absent_token() {
    std::ofstream(token().write_configuration()) << "default = \"web\"\n[token.web]\nmodule = \""
                                                 << token().module().string() << "\"\nlabel = \"absent\"\n";
  }
  static void configure_pin(const std::string& source) {
    std::ofstream(token().write_configuration())
        << "default = \"web\"\n[token.web]\nmodule = \"" << token().module().string()
        << "\"\nlabel = \"web\"\npin = \"" << source << "\"\n";
  }
  // The reason if the check fails.
  [[nodiscard]] std::string check() const {
    return reload_.check(reload_.argument) == 1 ? std::string() : take_errors();
  }
  [[nodiscard]] bool loads() const { return context_.load("keystay:ec") != nullptr; }
  void reload() const { EXPECT_EQ(reload_.reload(reload_.argument), 1) << take_errors(); }
  void restore() const { EXPECT_EQ(reload_.restore(reload_.argument), 1) << take_errors(); }

  LibraryContext context_;
  Reload reload_;
};

TEST_F(ReloadTest, ThatIsUndoneLeavesTheTokensAsTheyWere) {
  ASSERT_TRUE(loads()) << take_errors();
  configure_absent_token();
  reload();
  EXPECT_FALSE(loads());
  EXPECT_THAT(take_errors(), HasSubstr("absent"));
  restore();
  EXPECT_TRUE(loads()) << take_errors();
  restore();  // there is nothing to undo any more
  EXPECT_TRUE(loads()) << take_errors();
}

TEST_F(ReloadTest, IsUndoneOneAtATime) {
  ASSERT_TRUE(loads()) << take_errors();
  configure_absent_token();
  reload();
  configure();
  reload();
  restore();
  EXPECT_FALSE(loads());
  EXPECT_THAT(take_errors(), HasSubstr("absent"));
  reload();
  EXPECT_TRUE(loads()) << take_errors();
}

// This process is logged in, and reads no PIN any more: a restart would.
TEST_F(ReloadTest, ChecksTheNewSourceOfAPinThatNobodyReads) {
  ASSERT_TRUE(loads()) << take_errors();
  EXPECT_EQ(check(), "");
  const std::string file = (token().directory().path() / "new.pin").string();
  const auto why = [&](const std::string& text) {
    std::ofstream(file, std::ios::binary) << text;
    std::filesystem::permissions(file,
                                 std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    configure_pin("file:" + file);
    reload();
    EXPECT_EQ(check(), "") << "nothing was used since";
    EXPECT_TRUE(loads()) << take_errors();
    return check();
  };
  EXPECT_EQ(why(token().pin()), "");
  for (const std::string& text : {"\xEF\xBB\xBF" + token().pin() + "\n", std::string(), token().pin() + " "})
    EXPECT_THAT(why(text), testing::AllOf(HasSubstr(file), HasSubstr("\"web\""))) << text;
  const std::size_t logins = faults().calls(Function::C_Login);
  EXPECT_EQ(why("9999"), "") << "what it is worth, only an attempt tells";
  EXPECT_EQ(faults().calls(Function::C_Login), logins);
  std::filesystem::remove(file);
  EXPECT_THAT(check(), HasSubstr(file)) << "the settings are as they were, and the file is gone";
  configure_pin("prompt");
  reload();
  EXPECT_TRUE(loads()) << take_errors();
  EXPECT_THAT(check(), HasSubstr("nobody answers"));
}

TEST_F(ReloadTest, BeforeTheFirstKeyThereIsNothingToUndo) {
  reload();
  restore();
  EXPECT_TRUE(loads()) << take_errors();
}

}  // namespace
}  // namespace keystay::test
