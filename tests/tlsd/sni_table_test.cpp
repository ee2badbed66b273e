// Server names and wildcards (RFC 6125, section 6.4.3).
#include "tlsd/tls/sni_table.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

class SniTableTest : public testing::Test {
 protected:
  SslContextHandle exact_{SSL_CTX_new(TLS_server_method())};
  SslContextHandle wildcard_{SSL_CTX_new(TLS_server_method())};
  SniTable table_;

  SSL_CTX* context_of(std::string_view name) const {
    const NamedContext* found = table_.find(name);
    return found != nullptr ? found->context : nullptr;
  }

  void SetUp() override {
    table_.add("www.example.com", {exact_.get(), {}});
    table_.add("*.example.com", {wildcard_.get(), {}});
  }
};

TEST_F(SniTableTest, AnExactNameComesBeforeAWildcard) {
  EXPECT_EQ(context_of("www.example.com"), exact_.get());
}

TEST_F(SniTableTest, CaseDoesNotMatter) {
  EXPECT_EQ(context_of("WWW.Example.COM"), exact_.get());
  EXPECT_EQ(context_of("FTP.Example.COM"), wildcard_.get());
}

TEST_F(SniTableTest, AWildcardStandsForExactlyOneLabel) {
  EXPECT_EQ(context_of("ftp.example.com"), wildcard_.get());
  EXPECT_EQ(table_.find("a.b.example.com"), nullptr);
  EXPECT_EQ(table_.find("example.com"), nullptr);
  EXPECT_EQ(table_.find(".example.com"), nullptr);
}

TEST_F(SniTableTest, AnUnknownNameHasNoContext) {
  EXPECT_EQ(table_.find("www.example.org"), nullptr);
  EXPECT_EQ(table_.find(""), nullptr);
  EXPECT_EQ(table_.find("com"), nullptr);
  EXPECT_EQ(table_.find("*"), nullptr);
  EXPECT_EQ(table_.find(std::string(255, 'a')), nullptr);
  EXPECT_EQ(table_.find(std::string(100000, 'a')), nullptr);
}

TEST(Covers, FollowsTheSameRule) {
  EXPECT_TRUE(covers("a.example", "a.example"));
  EXPECT_TRUE(covers("*.example", "a.example"));
  EXPECT_TRUE(covers("*.example", "*.example"));
  EXPECT_FALSE(covers("*.example", "a.b.example"));
  EXPECT_FALSE(covers("*.example", "example"));
  EXPECT_FALSE(covers("*.example", ".example"));
  EXPECT_FALSE(covers("a*.example", "ab.example"));
  EXPECT_FALSE(covers("a.example", "*.example"));
}

}  // namespace
}  // namespace keystay::tlsd
