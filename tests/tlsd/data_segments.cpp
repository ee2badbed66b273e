#include "tests/tlsd/data_segments.h"

#include <cerrno>
#include <system_error>

#include <linux/tcp.h>  // not beside <netinet/tcp.h>, whose tcp_info is an older one
#include <netinet/in.h>
#include <sys/socket.h>

namespace keystay::test {

std::uint32_t data_segments(int descriptor) {
  tcp_info info{};
  socklen_t size = sizeof info;
  if (::getsockopt(descriptor, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
    throw std::system_error(errno, std::generic_category(), "TCP_INFO");
  return info.tcpi_data_segs_in;
}

}  // namespace keystay::test
