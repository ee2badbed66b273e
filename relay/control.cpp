#include "relay/control.h"

#include <array>
#include <cerrno>
#include <cstring>

#include <string.h>
#include <sys/socket.h>

namespace keystay::relay {

std::optional<Message> receive_message(int control) {
  std::array<char, 65536> text;
  iovec data{text.data(), text.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> space{};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = space.data();
  header.msg_controllen = space.size();
  ssize_t size = 0;
  do {
    size = ::recvmsg(control, &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size <= 0) return std::nullopt;
  Message message{pkcs11::Pin({text.data(), static_cast<std::size_t>(size)}), std::nullopt};
  ::explicit_bzero(text.data(), static_cast<std::size_t>(size));
  for (cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr; part = CMSG_NXTHDR(&header, part)) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    int descriptor = -1;
    std::memcpy(&descriptor, CMSG_DATA(part), sizeof descriptor);
    message.descriptor = descriptor;
  }
  return message;
}

}  // namespace keystay::relay
