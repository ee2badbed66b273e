// What clients get before TLS, command by command, and what of a server's greeting is left out.
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tlsd/starttls/protocol.h"

namespace keystay::tlsd {
namespace {

using config::StartTls;
using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;
using Then = ClearReply::Then;
using Kind = ServerGreeting::Kind;

ClearReply reply(StartTls protocol, std::string_view message) {
  return clear_protocol(protocol).reply(message);
}

struct ReplyCase {
  const char* name;
  StartTls protocol;
  std::string message;
  const char* beginning;
  Then then;
};
class ReplyInClear : public testing::TestWithParam<ReplyCase> {};

TEST_P(ReplyInClear, IsThatOfTheProtocol) {
  const ClearReply result = reply(GetParam().protocol, GetParam().message);
  EXPECT_THAT(result.text, StartsWith(GetParam().beginning));
  EXPECT_EQ(result.then, GetParam().then);
}

const ReplyCase kReplies[] = {
    {"smtp_ehlo", StartTls::smtp, "EHLO client.example\r\n", "250-", Then::go_on},
    {"smtp_helo", StartTls::smtp, "helo client.example\r\n", "250 ", Then::go_on},
    {"smtp_noop", StartTls::smtp, "NOOP\r\n", "250 ", Then::go_on},
    {"smtp_quit", StartTls::smtp, "QUIT\r\n", "221 ", Then::end},
    {"smtp_mail", StartTls::smtp, "MAIL FROM:<a@b>\r\n", "530 ", Then::go_on},
    {"smtp_auth", StartTls::smtp, "AUTH PLAIN AGEAYg==\r\n", "530 ", Then::go_on},
    {"smtp_starttls", StartTls::smtp, "starttls\r\n", "220 ", Then::tls},
    {"smtp_starttls_with_blank", StartTls::smtp, "STARTTLS \n", "220 ", Then::tls},
    {"smtp_starttls_with_parameter", StartTls::smtp, "STARTTLS now\r\n", "501 ", Then::go_on},
    {"smtp_starttlsx", StartTls::smtp, "STARTTLSX\r\n", "530 ", Then::go_on},
    {"smtp_nothing", StartTls::smtp, "\r\n", "530 ", Then::go_on},
    {"imap_capability", StartTls::imap, "a1 CAPABILITY\r\n",
     "* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED\r\na1 OK", Then::go_on},
    {"imap_login", StartTls::imap, "a1 LOGIN alice secret\r\n", "a1 NO ", Then::go_on},
    {"imap_literal", StartTls::imap, "a1 LOGIN {5}\r\n", "a1 NO ", Then::go_on},
    {"imap_starttls", StartTls::imap, "a1 starttls\r\n", "a1 OK ", Then::tls},
    {"imap_logout", StartTls::imap, "a1 LOGOUT\r\n", "* BYE\r\na1 OK", Then::end},
    {"imap_no_tag", StartTls::imap, "\r\n", "* BAD ", Then::go_on},
    {"imap_bad_tag", StartTls::imap, "* STARTTLS\r\n", "* BAD ", Then::go_on},
    {"pop3_capa", StartTls::pop3, "CAPA\r\n", "+OK\r\nSTLS\r\n.\r\n", Then::go_on},
    {"pop3_user", StartTls::pop3, "USER alice\r\n", "-ERR ", Then::go_on},
    {"pop3_stls", StartTls::pop3, "STLS\r\n", "+OK", Then::tls},
    {"pop3_quit", StartTls::pop3, "QUIT\r\n", "+OK", Then::end},
    {"postgres_ssl", StartTls::postgresql, std::string("\0\0\0\x08\x04\xd2\x16\x2f", 8), "S", Then::tls},
    {"postgres_gss", StartTls::postgresql, std::string("\0\0\0\x08\x04\xd2\x16\x30", 8), "N", Then::go_on},
    {"postgres_cancel", StartTls::postgresql, std::string("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2", 16),
     "", Then::cancel},
    {"postgres_startup", StartTls::postgresql, std::string("\0\0\0\x20\0\3\0\0", 8), "E", Then::refuse},
    {"postgres_ssl_of_another_size", StartTls::postgresql, std::string("\0\0\0\x09\x04\xd2\x16\x2f", 8), "E",
     Then::refuse},
    {"postgres_cancel_that_is_too_long", StartTls::postgresql, std::string("\0\1\0\0\x04\xd2\x16\x2e", 8),
     "E", Then::refuse},
    {"ldap_starttls", StartTls::ldap,
     std::string("\x30\x1d\x02\x01\x07\x77\x18\x80\x16") + "1.3.6.1.4.1.1466.20037", "\x30", Then::tls},
    {"ldap_bind", StartTls::ldap, std::string("\x30\x0c\x02\x01\x01\x60\x07\x02\x01\x03\x04\0\x80\0", 14),
     "\x30", Then::refuse},
    {"ldap_no_ber", StartTls::ldap, "GET / HTTP/1.1\r\n", "\x30", Then::refuse},
};
INSTANTIATE_TEST_SUITE_P(Commands, ReplyInClear, testing::ValuesIn(kReplies),
                         [](const auto& test) { return std::string(test.param.name); });

TEST(ClearReplyOfLdap, AnswersWithTheIdOfTheRequest) {
  const ClearReply result =
      reply(StartTls::ldap, std::string("\x30\x1d\x02\x01\x07\x77\x18\x80\x16") + "1.3.6.1.4.1.1466.20037");
  EXPECT_THAT(result.text, StartsWith(std::string("\x30\x24\x02\x01\x07\x78\x1f\x0a\x01\0", 10)));
  EXPECT_EQ(result.text.size(), 2U + 0x24U);
}

TEST(ClearReplyOfPostgresql, IsAnErrorResponseOfTheSizeThatItStates) {
  const std::string text = reply(StartTls::postgresql, std::string("\0\0\0\x20\0\3\0\0", 8)).text;
  const std::size_t size =
      (static_cast<unsigned char>(text.at(3)) << 8U) | static_cast<unsigned char>(text.at(4));
  EXPECT_EQ(size + 1, text.size());
  EXPECT_THAT(text, HasSubstr(std::string("C28000\0M", 8)));
  EXPECT_THAT(text, EndsWith(std::string("\0\0", 2)));
}

TEST(ClearMessage, EndsWhereTheProtocolSaysSo) {
  const auto size = [](StartTls protocol, const std::string& bytes) {
    return clear_protocol(protocol).size_of(bytes);
  };
  EXPECT_EQ(size(StartTls::smtp, "EHLO a\r\nSTARTTLS\r\n"), 8U);
  EXPECT_EQ(size(StartTls::smtp, "EHLO a"), 0U);
  EXPECT_EQ(size(StartTls::postgresql, std::string("\0\0\0\x08\x04\xd2\x16", 7)), 0U);
  EXPECT_EQ(size(StartTls::postgresql, std::string("\0\0\0\x08\x04\xd2\x16\x2f\x16\x03", 10)), 8U);
  EXPECT_EQ(size(StartTls::postgresql, std::string("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0", 15)), 0U);
  EXPECT_EQ(size(StartTls::postgresql, std::string("\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\1\0\0\0\2X", 17)), 16U);
  EXPECT_EQ(size(StartTls::ldap, "\x30"), 0U);
  EXPECT_EQ(size(StartTls::ldap, std::string("\x30\x81\x03\x02\x01", 5)), 0U);
  EXPECT_EQ(size(StartTls::ldap, std::string("\x30\x81\x03\x02\x01\x01\x16", 7)), 6U);
  EXPECT_EQ(size(StartTls::ldap, "\x16\x03\x01"), 3U);
}

struct GreetingCase {
  const char* name;
  StartTls protocol;
  const char* bytes;
  Kind kind;
  std::size_t size;
};
class GreetingOfAServer : public testing::TestWithParam<GreetingCase> {};

TEST_P(GreetingOfAServer, IsUnderstood) {
  const ServerGreeting greeting = clear_protocol(GetParam().protocol).server_greeting(GetParam().bytes);
  EXPECT_EQ(greeting.kind, GetParam().kind);
  EXPECT_EQ(greeting.size, GetParam().size);
}

constexpr GreetingCase kGreetings[] = {
    {"smtp", StartTls::smtp, "220 a ESMTP\r\n", Kind::ready, 13},
    {"smtp_of_lines", StartTls::smtp, "220-a\r\n220 b\r\n250 x", Kind::ready, 14},
    {"smtp_without_text", StartTls::smtp, "220\r\n", Kind::ready, 5},
    {"smtp_half", StartTls::smtp, "220-a\r\n22", Kind::incomplete, 0},
    {"smtp_none_yet", StartTls::smtp, "", Kind::incomplete, 0},
    {"smtp_busy", StartTls::smtp, "421 later\r\n", Kind::refusal, 0},
    {"smtp_never", StartTls::smtp, "554 no\r\n", Kind::refusal, 0},
    {"smtp_other", StartTls::smtp, "SSH-2.0-x\r\n", Kind::other, 0},
    {"smtp_empty_line", StartTls::smtp, "\n", Kind::other, 0},
    {"imap", StartTls::imap, "* OK ready\r\n", Kind::ready, 12},
    {"imap_bye", StartTls::imap, "* bye\r\n", Kind::refusal, 0},
    {"imap_preauth", StartTls::imap, "* PREAUTH hello\r\n", Kind::other, 0},
    {"imap_okay", StartTls::imap, "* OKAY\r\n", Kind::other, 0},
    {"pop3", StartTls::pop3, "+OK <1@a>\r\n", Kind::ready, 11},
    {"pop3_error", StartTls::pop3, "-ERR busy\r\n", Kind::refusal, 0},
    {"pop3_other", StartTls::pop3, "220 a\r\n", Kind::other, 0},
};
INSTANTIATE_TEST_SUITE_P(Servers, GreetingOfAServer, testing::ValuesIn(kGreetings),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace keystay::tlsd
