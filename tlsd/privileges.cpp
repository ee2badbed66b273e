#include "tlsd/privileges.h"

#include <cerrno>
#include <stdexcept>
#include <string>
#include <system_error>

#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace keystay::tlsd {
namespace {

[[noreturn]] void refuse(const config::TlsdSettings& settings, const std::string& reason) {
  throw std::runtime_error("cannot run as user \"" + settings.user + "\" (tlsd.user): " + reason);
}

void expect(bool done, const config::TlsdSettings& settings, const char* call) {
  if (!done) refuse(settings, std::string(call) + ": " + std::generic_category().message(errno));
}

gid_t group_of(const config::TlsdSettings& settings, const passwd& user) {
  if (settings.group.empty()) return user.pw_gid;
  const group* group = ::getgrnam(settings.group.c_str());
  if (group == nullptr) refuse(settings, "there is no group \"" + settings.group + "\" (tlsd.group)");
  return group->gr_gid;
}

// capset(2), which the C library does not wrap.
bool keep_only(unsigned capability) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3] = {};
  sets[0].effective = sets[0].permitted = 1U << capability;
  return ::syscall(SYS_capset, &header, sets) == 0;
}

}  // namespace

void give_up_root(const config::TlsdSettings& settings) {
  if (settings.user.empty()) return;
  const passwd* found = ::getpwnam(settings.user.c_str());
  if (found == nullptr) refuse(settings, "there is no such user");
  const passwd user = *found;  // of which only numbers are used: the next look-up reuses its texts
  const gid_t group = group_of(settings, user);
  if (::geteuid() == user.pw_uid && user.pw_uid != 0) return;  // started by this user
  if (::geteuid() != 0)
    refuse(settings, "only root can become another user; start it by root, or leave `user` out");
  if (user.pw_uid == 0) refuse(settings, "this is root itself");
  expect(::initgroups(settings.user.c_str(), group) == 0, settings, "initgroups");
  expect(::setresgid(group, group, group) == 0, settings, "setresgid");
  expect(::prctl(PR_SET_KEEPCAPS, 1) == 0, settings, "prctl");
  expect(::setresuid(user.pw_uid, user.pw_uid, user.pw_uid) == 0, settings, "setresuid");
  expect(keep_only(CAP_NET_BIND_SERVICE), settings, "capset");
  expect(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, settings, "prctl");
}

}  // namespace keystay::tlsd
