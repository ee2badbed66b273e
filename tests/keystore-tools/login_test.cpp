// What a token shows without a login is no ground for any decision: its keys are not among it.
#include "tests/keystore-tools/keystay_program.h"

namespace keystay::tools {
namespace {

using testing::AllOf;
using testing::HasSubstr;

class LoginTest : public KeystayTest {
 protected:
  std::string without_pin() const {
    return write("without-pin.toml", "[token.web]\nmodule = \"" + token_.module().string() +
                                         "\"\nlabel = \"" + token_.label() + "\"\n");
  }
};

TEST_F(LoginTest, IsWantedByEveryCommand) {
  make_alias("vic");
  done({"-importcert", "-alias", "vic", "-file", write("reply.pem", reply("vic"))});
  const std::string foreign = write("foreign.pem", ca_.root_pem());
  for (const test::Arguments& command : {
           test::Arguments{"-list"},
           {"-list", "-alias", "vic"},
           {"-list", "-alias", "nobody"},
           {"-delete", "-alias", "vic"},
           {"-importcert", "-noprompt", "-alias", "vic", "-file", foreign},
           {"-importcert", "-noprompt", "-alias", "root", "-file", foreign},
           {"-changealias", "-alias", "vic", "-destalias", "www"},
           {"-genkeypair", "-alias", "vic", "-keyalg", "EC"},
           {"-genkeypair", "-alias", "new", "-keyalg", "EC"},
           {"-certreq", "-alias", "vic"},
           {"-exportcert", "-alias", "vic"},
           {"-exportref", "-alias", "vic"},
       }) {
    refused(1, AllOf(HasSubstr("wants a login"), HasSubstr("token \"web\""), HasSubstr("-storepass:file")),
            command, {.environment = {{"KEYSTAY_CONF", without_pin()}}});
  }
}

TEST_F(LoginTest, MayComeFromTheCommandLineWhereNoneIsConfigured) {
  make_alias("vic");
  EXPECT_THAT(done({"-list", "-storepass:file", token_.pin_file()},
                   {.environment = {{"KEYSTAY_CONF", without_pin()}}}),
              HasSubstr("PrivateKeyEntry"));
}

}  // namespace
}  // namespace keystay::tools
