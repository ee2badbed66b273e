// A member that begins to hang in the middle of what is not a signature: whoever asked is answered by another
// member, and does not wait for the one that hangs.
#include <atomic>
#include <thread>

#include "native/ha/member.h"
#include "native/pkcs11/session.h"
#include "tests/ha/group_fixture.h"

namespace keystay::ha {
namespace {

using namespace std::chrono_literals;

using testing::HasSubstr;

struct Reading {
  const char* name;
  Function hangs;
  std::function<bool(keys::KeySource&, const keys::Pkix&)> succeeds;
};

class HungReading : public GroupTest, public testing::WithParamInterface<Reading> {
 protected:
  HungReading() { use_group("probe = [\"100ms\"]\nattempt-timeout = \"500ms\"\n"); }
};

TEST_P(HungReading, IsDoneByAnotherMember) {
  ASSERT_TRUE(signs(key()));
  ASSERT_EQ(status(0).service, Service::in);
  faults(0).hold(GetParam().hangs);
  std::atomic<bool> ended = false;
  std::atomic<bool> succeeded = false;
  std::thread reader([&] {
    const auto error = error_of([&] { succeeded = GetParam().succeeds(*group(), pkix_); });
    if (error) std::fprintf(stderr, "%s\n", error->what());
    ended = true;
  });
  EXPECT_TRUE(wait_for([&] { return ended.load(); })) << "the reader hangs with the member";
  EXPECT_TRUE(wait_for([&] { return status(0).left_calls > 0; }));
  faults(0).release(GetParam().hangs);
  reader.join();
  EXPECT_TRUE(succeeded);
  EXPECT_TRUE(wait_for([&] { return status(0).left_calls == 0; })) << "its thread comes back";
  EXPECT_TRUE(wait_for_service(0, Service::in));
  ASSERT_FALSE(notices().empty());
  EXPECT_THAT(notices()[0], HasSubstr("did not answer within the time of one attempt"));
}

bool finds(keys::KeySource& source, const keys::Pkix& pkix) {
  return keys::KeyStore({&source, [](keys::KeySource*) {}}, pkix).find("httpd").has_value();
}

bool lists(keys::KeySource& source, const keys::Pkix& pkix) {
  return keys::KeyStore({&source, [](keys::KeySource*) {}}, pkix).entries().size() == 1;
}

bool draws(keys::KeySource& source, const keys::Pkix&) {
  std::array<std::uint8_t, 16> random{};
  source.generate_random(random);
  return random != std::array<std::uint8_t, 16>{};
}

// A mechanism that no front door has asked for yet.
bool supports(keys::KeySource& source, const keys::Pkix&) {
  return source.operations()->supports(pkcs11::Sign{pkcs11::Ecdsa{}});
}

const Reading kReadings[] = {
    {"Find", Function::C_FindObjects, finds},      {"Attributes", Function::C_GetAttributeValue, finds},
    {"List", Function::C_FindObjectsInit, lists},  {"EndOfSearch", Function::C_FindObjectsFinal, lists},
    {"Random", Function::C_GenerateRandom, draws}, {"Mechanism", Function::C_GetMechanismInfo, supports}};
INSTANTIATE_TEST_SUITE_P(In, HungReading, testing::ValuesIn(kReadings),
                         [](const auto& param) { return param.param.name; });

class ReadingOfMembers : public GroupTest {};

// It would be asked again at each operation, and hang each time.
TEST_F(ReadingOfMembers, OneThatDoesNotSayWhatItSupportsStaysOutUntilItDoes) {
  use_group("probe = [\"100ms\"]\nattempt-timeout = \"500ms\"\n");
  faults(0).hold(Function::C_GetMechanismInfo);
  EXPECT_TRUE(group()->operations()->supports(pkcs11::Sign{pkcs11::Ecdsa{}}));
  EXPECT_TRUE(faults(0).wait_until_inside(Function::C_GetMechanismInfo, 2)) << "the probe hangs as well";
  EXPECT_EQ(status(0).service, Service::out);
  EXPECT_TRUE(group()->operations()->supports(pkcs11::Sign{pkcs11::RsaPkcs{}})) << "without asking it";
  faults(0).release(Function::C_GetMechanismInfo);
  EXPECT_TRUE(wait_for_service(0, Service::in));
}

// The body runs on the reader's thread, with its memory, and is run again where the session was lost.
TEST_F(ReadingOfMembers, RunsOnTheReadersThreadAndAgainAfterARepair) {
  ASSERT_TRUE(signs(key()));
  int runs = 0;
  faults(0).fail(Function::C_FindObjectsInit, CKR_SESSION_HANDLE_INVALID);
  group()->with_session([&, reader = std::this_thread::get_id()](pkcs11::Session& session) {
    ++runs;
    EXPECT_EQ(std::this_thread::get_id(), reader);
    pkcs11::Template search;
    search.number(CKA_CLASS, CKO_PRIVATE_KEY);
    EXPECT_EQ(session.find_token_objects(std::move(search)).size(), 1U);
  });
  EXPECT_EQ(runs, 2);
  EXPECT_EQ(status(0).service, Service::in);
}

TEST_F(ReadingOfMembers, TellsTheReaderWhatItsBodyThrew) {
  ASSERT_TRUE(signs(key()));
  struct Own {};
  EXPECT_THROW(group()->with_session([](pkcs11::Session&) { throw Own{}; }), Own);
  const auto error = error_of(
      [&] { group()->with_session([](pkcs11::Session&) { throw Error(CKR_DATA_INVALID, "C_Sign"); }); });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->code(), CKR_DATA_INVALID);
  for (std::size_t i = 0; i < kMembers; ++i) EXPECT_EQ(status(i).service, Service::in);
}

// Who types a PIN takes longer than an attempt may.
TEST_F(ReadingOfMembers, APersonIsAskedForThePinAndWaitedFor) {
  for (std::size_t i = 0; i < kMembers; ++i) set_lines(i, "pin = \"prompt\"\n");
  use_group("attempt-timeout = \"200ms\"\ncheck = \"100ms\"\n");
  std::vector<std::string> asked;
  std::vector<std::string> told;
  const auto type_slowly = [&, reader = std::this_thread::get_id()](std::string_view token) {
    EXPECT_EQ(std::this_thread::get_id(), reader);
    asked.emplace_back(token);
    std::this_thread::sleep_for(1s);  // the person's
    return pkcs11::Pin(hsm_.pin());
  };
  const auto typed = key_sources(tokens_->configuration(), type_slowly, {}, nullptr,
                                 {[&](const std::string& sentence) { told.push_back(sentence); }});
  EXPECT_TRUE(keys::KeyStore(typed->source("front"), pkix_).find("httpd"));
  EXPECT_THAT(asked, testing::ElementsAre("hsm-a"));
  EXPECT_THAT(told, testing::IsEmpty());
}

// As at a reload of keystay-tlsd: a member that is away must not refuse it.
TEST_F(ReadingOfMembers, AMemberThatIsAwayDoesNotSpeakAgainstARestart) {
  use_group("probe = [\"100ms\"]\nattempt-timeout = \"500ms\"\n");
  ASSERT_TRUE(signs(key()));
  faults(1).remove_token();
  EXPECT_FALSE(error_of([&] { group()->require_repeatable_login(); }));
  const auto pin_file = hsm_.directory().write("hsm-c.pin", "\xEF\xBB\xBF" + hsm_.pin() + "\n");
  set_lines(2, "pin = \"file:" + pin_file.string() + "\"\n");
  use_group("probe = [\"100ms\"]\nattempt-timeout = \"500ms\"\n");
  const auto error = error_of([&] { group()->require_repeatable_login(); });
  ASSERT_TRUE(error) << "a PIN that is none does";
  EXPECT_EQ(error->error_class(), ErrorClass::authentication);
}

// Sessions that were lost are repaired at once; if that fails, not as fast as the machine can.
TEST_F(ReadingOfMembers, ARepairThatFailsIsTriedAtPauses) {
  const keys::PrivateKey httpd = key();
  MemberOptions options;
  options.name = "hsm-a";
  options.probe_pauses = {5s};
  const auto member = std::make_shared<Member>(options, tokens_->source("hsm-a"), [](const std::string&) {});
  const Bytes digest(32, 1);
  Bytes signature(64);
  const pkcs11::Operation operation = pkcs11::Sign{pkcs11::Ecdsa{}};
  const Request request{httpd.reference(), operation, digest, signature};
  const auto sign = [&] {
    member->perform(request, Member::Repair::left_to_probes, std::chrono::steady_clock::now() + 5s);
  };
  sign();
  faults(0).fail(Function::C_Sign, CKR_SESSION_HANDLE_INVALID);
  faults(0).fail(Function::C_OpenSession, CKR_SESSION_COUNT, kEveryCall);
  ASSERT_TRUE(error_of(sign));
  ASSERT_TRUE(member->repairing());
  EXPECT_LE(member->next_probe(true), std::chrono::steady_clock::now());
  faults(0).reset_calls();
  member->probe();
  ASSERT_TRUE(wait_for([&] { return member->next_probe(true) > std::chrono::steady_clock::now() + 3s; }));
  EXPECT_TRUE(member->repairing());
  faults(0).fail(Function::C_OpenSession, CKR_OK, 0);
}

// What a process lacks for one member (descriptors, its relay) is no reason not to ask another.
TEST_F(ReadingOfMembers, OneThatThisProcessCannotReachCostsNoSignature) {
  const std::string remote =
      "[token.hsm-r]\nendpoints = [\"127.0.0.1:1\"]\nca = \"/nonexistent/ca.pem\"\ncertificate = "
      "\"/nonexistent/c.pem\"\nkey = \"/nonexistent/k.pem\"\nlabel = \"r\"\nrelay = \"/nonexistent/relay\"\n";
  const std::string local = "[token.hsm-a]\nmodule = \"" + faults(0).loaded_as().string() +
                            "\"\nlabel = \"hsm-a\"\npin = \"file:" + hsm_.pin_file().string() + "\"\n";
  tokens_ =
      key_sources(config::parse_configuration(
                      remote + local + "[group.front]\nmembers = [\"hsm-r\", \"hsm-a\"]\n", "keystay.toml"),
                  {}, {}, nullptr, {[](const std::string&) {}});
  EXPECT_FALSE(error_of([&] {
    const keys::PrivateKey httpd = key();
    for (int i = 0; i < 4; ++i) EXPECT_TRUE(signs(httpd));
  }));
  EXPECT_EQ(status(0).service, Service::out);
}

}  // namespace
}  // namespace keystay::ha
