// How often -genkeypair searches its token, and how often it looks at the aliases of others: SoftHSM opens
// the file of each object in each search, and an HSM in the network takes a round trip for each call.
#include "tests/keystore-tools/keystay_program.h"
#include "tests/support/fault_control.h"

namespace keystay::tools {
namespace {

using test::Function;

class SearchesTest : public KeystayTest {
 protected:
  SearchesTest() : KeystayTest({.front = test::Front::fault_module}) {}

  struct Calls {
    std::uint64_t searches;
    std::uint64_t reads;
  };
  // Of a command that is done.
  Calls calls_of(const test::Arguments& command) {
    token_.faults().reset_calls();
    done(command);
    return {token_.faults().calls(Function::C_FindObjectsInit),
            token_.faults().calls(Function::C_GetAttributeValue)};
  }
  Calls calls_of_generation(const std::string& alias) {
    return calls_of({"-genkeypair", "-alias", alias, "-keyalg", "EC", "-dname", "CN=localhost"});
  }
};

// Each has a private key, and a certificate whose label may be a name: both are looked at before anything is
// made, and once more after the name was written, since another machine may have written it as well
// (native/keys/naming.h).
TEST_F(SearchesTest, OfGenkeypairAreFewAndLookAtOtherAliasesTwice) {
  constexpr std::uint64_t kFew = 22;  // two of them for secret keys of the name, before and after it is taken
  constexpr std::uint64_t kMore = 12;
  constexpr std::uint64_t kReadsOfEach = 2 * 2;
  make_alias("first");
  const Calls among_one = calls_of_generation("a");
  for (std::uint64_t i = 0; i < kMore; ++i) make_alias("other" + std::to_string(i));
  const Calls among_many = calls_of_generation("b");
  EXPECT_LE(among_one.searches, kFew);
  EXPECT_EQ(among_many.searches, among_one.searches);
  EXPECT_LE(among_many.reads - among_one.reads, kReadsOfEach * (kMore + 1));
}

}  // namespace
}  // namespace keystay::tools
