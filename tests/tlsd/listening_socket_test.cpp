#include "tlsd/accept/listening_socket.h"

#include <gtest/gtest.h>

namespace keystay::tlsd {
namespace {

const config::Endpoint kAnyPort{"127.0.0.1", 0};

class ListeningSocketTest : public testing::Test {
 protected:
  asio::io_context context_;
};

TEST_F(ListeningSocketTest, EachConnectionSendsAtOnceAndFindsOutThatItsPeerIsGone) {
  std::vector<Acceptor> acceptors = listen(kAnyPort, {&context_});
  Socket client(context_);
  client.connect(acceptors.front().local_endpoint());
  const Socket server = acceptors.front().accept();
  tcp::no_delay no_delay;
  server.get_option(no_delay);
  EXPECT_TRUE(no_delay.value());
  asio::socket_base::keep_alive keep_alive;
  server.get_option(keep_alive);
  EXPECT_TRUE(keep_alive.value());
}

TEST_F(ListeningSocketTest, AllThreadsShareThePortThatTheKernelChose) {
  asio::io_context other;
  const std::vector<Acceptor> acceptors = listen(kAnyPort, {&context_, &other});
  ASSERT_EQ(acceptors.size(), 2U);
  EXPECT_NE(to_tcp(acceptors.front().local_endpoint()).port(), 0);
  EXPECT_EQ(acceptors.front().local_endpoint(), acceptors.back().local_endpoint());
}

TEST_F(ListeningSocketTest, APortInUseIsNotSharedWithAnotherServer) {
  const std::vector<Acceptor> acceptors = listen(kAnyPort, {&context_});
  const config::Endpoint taken{"127.0.0.1", to_tcp(acceptors.front().local_endpoint()).port()};
  try {
    static_cast<void>(listen(taken, {&context_}));
    FAIL() << "a second server listens on " << to_text(to_tcp(taken));
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("another program listens there"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace keystay::tlsd
