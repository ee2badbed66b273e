// The openssl program with the provider, and files for it beside the token.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tests/provider/provider_test.h"
#include "tests/support/process.h"

namespace keystay::test {

// Has the files "message" and, for each of these keys, "KEY.ref" (its PEM reference) and "KEY.pub".
class OpensslProgramTest : public ProviderTest {
 protected:
  explicit OpensslProgramTest(const std::vector<std::string>& keys = {"rsa", "ec"});

  static std::string file(const std::string& name, std::string_view text);
  static std::string path(const std::string& name);
  static void write_files_of(const std::string& key);

  // With the providers of `order`.
  static Arguments with_providers(Arguments arguments, Order order = Order::keystay_last);
  static Outcome openssl(const Arguments& arguments, Order order = Order::keystay_last);

  static bool file_verifies(const std::string& key, const std::string& signature,
                            const Arguments& options = {});

  std::string message_;
};

// s_server with a key of the token, and s_client against it.
class OpensslServerTest : public OpensslProgramTest {
 protected:
  using OpensslProgramTest::OpensslProgramTest;

  struct Service {
    std::string key;                    // its label
    Arguments options = {};             // of s_server
    Order order = Order::keystay_last;  // of both programs
  };
  // Connects once with each of these options of s_client; all must succeed, with the certificate verified.
  void serve(const Service& service, const std::vector<Arguments>& clients);

  // That `s_server -accept 0` got; empty if it does not say that it listens.
  static std::string port_of(Process& server);
};

}  // namespace keystay::test
