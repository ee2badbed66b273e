// Nothing touches the module before the first use.
#include "tests/pkcs11/token_test.h"

namespace keystay::pkcs11 {
namespace {

using testing::HasSubstr;
using testing::Not;

class LazyStart : public TokenTest {};

TEST_F(LazyStart, MakingATokenCallsNoFunction) {
  const auto token = this->token();
  EXPECT_EQ(token->name(), "token \"web\"");
  EXPECT_GT(token->deadline(), std::chrono::steady_clock::now());
  EXPECT_EQ(module_->generation(), 0u);
  EXPECT_EQ(faults_.calls(), 0u);
}

TEST_F(LazyStart, FirstSignatureInitializesOnceWithTheSystemsLocks) {
  const auto token = this->token();
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_TRUE(verifies(sign(*token)));
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 1u);
  EXPECT_EQ(faults_.initialize_flags(), CKF_OS_LOCKING_OK);
  EXPECT_EQ(module_->generation(), 1u);
}

TEST_F(LazyStart, TwoTokensOfOneModuleInitializeItOnce) {
  hsm_.add_token("other");
  TokenOptions other = options();
  other.identity.label = "other";
  EXPECT_EQ(token()->info().label, "web");
  EXPECT_EQ(token(other)->info().label, "other");
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 1u);
}

// Somebody else in the process may use the same module: SunPKCS11 in a JVM, another provider in a server.
TEST_F(LazyStart, UsesAModuleThatSomebodyElseInitialized) {
  const auto stranger = std::make_shared<Module>(hsm_.module());
  EXPECT_FALSE(
      stranger->slots_with_token(std::chrono::steady_clock::now() + std::chrono::minutes(1)).empty());
  EXPECT_TRUE(verifies(sign(*token())));
  EXPECT_EQ(faults_.calls(Function::C_Finalize), 0u);
}

TEST_F(LazyStart, AbsentModuleIsAnErrorOfTheFirstUse) {
  const auto module = std::make_shared<Module>("/nonexistent/libhsm.so");
  const auto token = std::make_shared<Token>(module, options());
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->error_class(), ErrorClass::server);
  EXPECT_THAT(error->what(), HasSubstr("/nonexistent/libhsm.so"));
  EXPECT_THAT(error->what(), HasSubstr("`module`"));
}

TEST_F(LazyStart, LibraryThatIsNoModuleIsNamed) {
  const auto token = std::make_shared<Token>(std::make_shared<Module>("libm.so.6"), options());
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_THAT(error->what(), HasSubstr("libm.so.6 is no PKCS#11 module"));
}

TEST_F(LazyStart, FailedInitializeIsTriedAgainByALaterUse) {
  faults_.fail(Function::C_Initialize, CKR_DEVICE_ERROR);
  const auto token = this->token();
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_DEVICE_ERROR);
  // Between two attempts there is a pause, so that a token that is down is not flooded.
  std::optional<Error> again = error;
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (again && std::chrono::steady_clock::now() < deadline) again = error_of([&] { sign(*token); });
  EXPECT_FALSE(again) << again->what();
  EXPECT_EQ(faults_.calls(Function::C_Initialize), 2u);
}

TEST_F(LazyStart, ModuleIsOnePerPath) {
  EXPECT_EQ(Module::at("/usr/lib/a.so"), Module::at("/usr/lib/../lib/a.so"));
  EXPECT_NE(Module::at("/usr/lib/a.so"), Module::at("/usr/lib/b.so"));
}

TEST_F(LazyStart, ModuleHasOneSetOfArguments) {
  const auto module = Module::at("/usr/lib/c.so", "s3cret=1");
  EXPECT_EQ(Module::at("/usr/lib/c.so", "s3cret=1"), module);
  for (const char* others : {"", "s3cret=2"}) {
    const std::optional<Error> error =
        error_of([&] { static_cast<void>(Module::at("/usr/lib/c.so", others)); });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->error_class(), ErrorClass::client);
    EXPECT_THAT(error->what(), HasSubstr("/usr/lib/c.so has other arguments"));
    EXPECT_THAT(error->what(), Not(HasSubstr("s3cret")));
  }
}

TEST_F(LazyStart, ArgumentsThatTheModuleDoesNotTakeAreInNoMessage) {
  const auto module = std::make_shared<Module>(hsm_.module(), "s3cret=1");
  const auto token = std::make_shared<Token>(module, options());
  const std::optional<Error> error = error_of([&] { sign(*token); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_ARGUMENTS_BAD);
  EXPECT_THAT(error->what(), HasSubstr("does not start with its `module-arguments`"));
  EXPECT_THAT(error->what(), Not(HasSubstr("s3cret")));
}

}  // namespace
}  // namespace keystay::pkcs11
