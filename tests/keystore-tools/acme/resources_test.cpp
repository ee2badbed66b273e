// What an ACME server answers, of RFC 8555's own examples and of nobody's.
#include "keystore-tools/acme/resources.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace keystay::tools::acme {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

template <typename Parse>
std::string refusal_of(const Parse& parse, const std::string& body) {
  try {
    static_cast<void>(parse(body));
    return "accepted";
  } catch (const Failure& failure) {
    return failure.what();
  }
}

// Section 7.1.1.
TEST(AcmeDirectory, IsReadAsInTheStandard) {
  const Directory directory = parse_directory(R"({
    "newNonce": "https://example.com/acme/new-nonce",
    "newAccount": "https://example.com/acme/new-account",
    "newOrder": "https://example.com/acme/new-order",
    "newAuthz": "https://example.com/acme/new-authz",
    "revokeCert": "https://example.com/acme/revoke-cert",
    "keyChange": "https://example.com/acme/key-change",
    "meta": {"termsOfService": "https://example.com/acme/terms/2017-5-30",
             "website": "https://www.example.com/",
             "caaIdentities": ["example.com"],
             "externalAccountRequired": true}})");
  EXPECT_EQ(directory.new_nonce, "https://example.com/acme/new-nonce");
  EXPECT_EQ(directory.new_account, "https://example.com/acme/new-account");
  EXPECT_EQ(directory.new_order, "https://example.com/acme/new-order");
  EXPECT_EQ(directory.terms_of_service, "https://example.com/acme/terms/2017-5-30");
  EXPECT_TRUE(directory.external_account_required);
}

TEST(AcmeDirectory, OfAnotherFormIsRefusedWithWhatIsMissing) {
  EXPECT_THAT(refusal_of(parse_directory, "<html>"), HasSubstr("no JSON"));
  EXPECT_THAT(refusal_of(parse_directory, "[]"), HasSubstr("no JSON object"));
  EXPECT_THAT(refusal_of(parse_directory, "{}"), HasSubstr("no URL \"newNonce\""));
  EXPECT_THAT(refusal_of(parse_directory, R"({"newNonce": 1})"), HasSubstr("no URL \"newNonce\""));
  EXPECT_THAT(refusal_of(parse_directory, R"({"newNonce": "https://a/ b"})"),
              HasSubstr("no URL \"newNonce\""));
  EXPECT_THAT(refusal_of(parse_directory, std::string(100'000, '[')), HasSubstr("no JSON"));
}

// Section 7.1.3.
TEST(AcmeOrder, IsReadAsInTheStandard) {
  const Order order = parse_order(R"({
    "status": "valid", "expires": "2016-01-20T14:09:07.99Z",
    "identifiers": [{"type": "dns", "value": "www.example.org"}, {"type": "dns", "value": "example.org"}],
    "authorizations": ["https://example.com/acme/authz/PAniVnsZcis", "https://example.com/acme/authz/r4HqLzrSrpI"],
    "finalize": "https://example.com/acme/order/TOlocE8rfgo/finalize",
    "certificate": "https://example.com/acme/cert/mAt3xBGaobw"})");
  EXPECT_EQ(order.status, Status::valid);
  EXPECT_THAT(order.authorizations, ElementsAre("https://example.com/acme/authz/PAniVnsZcis",
                                                "https://example.com/acme/authz/r4HqLzrSrpI"));
  EXPECT_EQ(order.certificate, "https://example.com/acme/cert/mAt3xBGaobw");
  EXPECT_FALSE(order.error);
}

TEST(AcmeOrder, OfAnotherFormIsRefused) {
  EXPECT_THAT(refusal_of(parse_order, R"({"status":"lost","finalize":"https://a/"})"),
              HasSubstr("its status is \"lost\""));
  EXPECT_THAT(refusal_of(parse_order, R"({"status":"ready"})"), HasSubstr("\"finalize\""));
  EXPECT_THAT(refusal_of(parse_order, R"({"status":"ready","finalize":"https://a/","authorizations":[]})"),
              HasSubstr("no authorizations"));
  EXPECT_THAT(refusal_of(parse_order, R"({"status":"ready","finalize":"https://a/","authorizations":[1]})"),
              HasSubstr("no URL"));
}

// Section 7.1.4, and an error of section 8.2.
TEST(AcmeAuthorization, IsReadAsInTheStandard) {
  const Authorization authorization = parse_authorization(R"({
    "status": "invalid", "expires": "2015-03-01T14:09:07.99Z",
    "identifier": {"type": "dns", "value": "www.example.org"},
    "challenges": [
      {"url": "https://example.com/acme/chall/prV_B7yEyA4", "type": "http-01", "status": "invalid",
       "token": "DGyRejmCefe7v4NfDGDKfA",
       "error": {"type": "urn:ietf:params:acme:error:unauthorized", "detail": "nothing there", "status": 403}}],
    "wildcard": false})");
  EXPECT_EQ(authorization.status, Status::invalid);
  EXPECT_EQ(authorization.identifier, (Identifier{IdentifierType::dns, "www.example.org"}));
  ASSERT_EQ(authorization.challenges.size(), 1U);
  EXPECT_EQ(authorization.challenges[0].token, "DGyRejmCefe7v4NfDGDKfA");
  ASSERT_TRUE(authorization.challenges[0].error);
  EXPECT_EQ(authorization.challenges[0].error->type, "unauthorized");
}

// A token becomes the name of a file and a part of a URL (sections 8.1 and 8.3).
TEST(AcmeAuthorization, HasNoChallengeWhoseTokenLeadsElsewhere) {
  for (const std::string token : {"../../etc/passwd", "a/b", "a.b", "", "a\\u0000b", "a b", "\\u00e4"}) {
    const Authorization authorization = parse_authorization(
        R"({"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[)"
        R"({"type":"http-01","url":"https://a/","token":")" +
        token + "\"}]}");
    EXPECT_TRUE(authorization.challenges.empty()) << token;
  }
}

// RFC 8555, section 6.7.1.
TEST(AcmeProblem, IsOneSentenceWithItsSubproblems) {
  const Problem problem = parse_problem(R"({
    "type": "urn:ietf:params:acme:error:malformed",
    "detail": "Some of the identifiers requested were rejected",
    "subproblems": [
      {"type": "urn:ietf:params:acme:error:malformed", "detail": "Invalid underscore in DNS name \"_example.org\"",
       "identifier": {"type": "dns", "value": "_example.org"}},
      {"type": "urn:ietf:params:acme:error:rejectedIdentifier", "detail": "This CA will not issue for \"example.net\"",
       "identifier": {"type": "dns", "value": "example.net"}}]})",
                                        403);
  EXPECT_EQ(
      describe(problem),
      "malformed: Some of the identifiers requested were rejected (status 403); _example.org: malformed: "
      "Invalid underscore in DNS name \"_example.org\"; example.net: rejectedIdentifier: This CA will not "
      "issue for \"example.net\"");
}

TEST(AcmeProblem, SaysWhenToComeBack) {
  Problem problem =
      parse_problem(R"({"type":"urn:ietf:params:acme:error:rateLimited","detail":"too many"})", 429);
  problem.retry_after = std::chrono::seconds(3600);
  EXPECT_EQ(
      describe(problem),
      "rateLimited: too many (status 429); the CA asks for a pause of 3600 s (Retry-After); wait, and try no "
      "more often than the CA wants it");
}

// A proxy's page, nothing at all, control characters of a terminal, and more than anybody reads.
TEST(AcmeProblem, OfAnyBodyIsAMessage) {
  EXPECT_EQ(describe(parse_problem("<html>502</html>", 502)), "status 502 without a reason");
  EXPECT_EQ(describe(parse_problem("", 500)), "status 500 without a reason");
  EXPECT_EQ(describe(parse_problem("[1]", 500)), "status 500 without a reason");
  const std::string shown = describe(parse_problem(R"({"detail":"\u001b[31mred\nline"})", 400));
  EXPECT_THAT(shown, Not(HasSubstr("\x1b")));
  EXPECT_THAT(shown, Not(HasSubstr("\n")));
  const std::string endless =
      describe(parse_problem("{\"detail\":\"" + std::string(100'000, 'x') + "\"}", 400));
  EXPECT_LT(endless.size(), 1000U);
}

}  // namespace
}  // namespace keystay::tools::acme
