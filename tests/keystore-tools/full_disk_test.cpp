// Every writing command on a token whose disk is full: to the last byte, and with a page more each time,
// until the command has room. SoftHSM may answer CKR_OK there and have nothing. What was there stays, and
// nothing is said to be there that is not.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <memory>

#include <sched.h>
#include <sys/mount.h>
#include <sys/statvfs.h>

#include "tests/keystore-tools/saved_token.h"

namespace keystay::tools {
namespace {

namespace fs = std::filesystem;
using testing::AnyOf;
using testing::Eq;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

constexpr std::uintmax_t kPage = 4096;
constexpr int kMostPages = 60;

// A file system of 1 MiB at `path`, in a mount namespace of this process and its children.
class SmallDisk final {
 public:
  explicit SmallDisk(const fs::path& path) : path_(path) {
    const bool is_private = ::unshare(CLONE_NEWNS) == 0;
    // In a chroot / need not be a mount point; then others see the disk, too, while it lasts.
    if (is_private) static_cast<void>(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr));
    mounted_ = is_private && ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=1m") == 0;
    if (!mounted_) reason_ = std::strerror(errno);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;
  ~SmallDisk() {
    if (mounted_) ::umount2(path_.c_str(), MNT_DETACH);
  }

  [[nodiscard]] bool mounted() const { return mounted_; }
  [[nodiscard]] const std::string& reason() const { return reason_; }

  // Fills it but for so many pages.
  void fill(int pages) const {
    std::ofstream(filler(), std::ios::binary).close();
    struct statvfs status {};
    ASSERT_EQ(::statvfs(path_.c_str(), &status), 0);
    const std::uintmax_t free = status.f_bavail * status.f_frsize;
    ASSERT_GT(free, pages * kPage);
    std::ofstream(filler(), std::ios::binary) << std::string(free - pages * kPage, 'x');
    ASSERT_EQ(fs::file_size(filler()), free - pages * kPage);
  }
  void free() const { fs::remove(filler()); }

 private:
  [[nodiscard]] fs::path filler() const { return path_ / "filler"; }

  fs::path path_;
  bool mounted_ = false;
  std::string reason_;
};

class FullDiskTest : public SavedTokenTest {
 protected:
  FullDiskTest() : SavedTokenTest({}) {
    save("fresh");
    disk_ = std::make_unique<SmallDisk>(tokens());
    if (disk_->mounted()) restore("fresh");
  }

  void SetUp() override {
    if (!disk_->mounted()) GTEST_SKIP() << "no file system can be mounted: " << disk_->reason();
    make_alias("web");
    done({"-importcert", "-alias", "web", "-file", write("web.pem", reply("web"))});
  }

  // Returns how often it was refused.
  int sweep(const test::Arguments& command) {
    SCOPED_TRACE(testing::PrintToString(command));
    save("before");
    const State old_state = state();
    done(command);
    const State new_state = state();
    for (int pages = 0; pages < kMostPages && !HasFailure(); ++pages) {
      SCOPED_TRACE("free pages: " + std::to_string(pages));
      restore("before");
      disk_->fill(pages);
      const test::Outcome outcome = keystay(command);
      disk_->free();
      SCOPED_TRACE(testing::PrintToString(outcome));
      if (outcome.ok()) {
        EXPECT_EQ(state(), new_state);
        return pages;
      }
      check_refusal(outcome);
      check_token(old_state, new_state);
    }
    ADD_FAILURE() << "does not come to an end";
    return kMostPages;
  }

 private:
  void check_refusal(const test::Outcome& outcome) const {
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.output, IsEmpty());
    EXPECT_THAT(outcome.error, StartsWith("keystay: "));
    EXPECT_EQ(std::ranges::count(outcome.error, '\n'), 1) << "one message";
    EXPECT_THAT(outcome.error, Not(HasSubstr(token_.pin())));
  }

  void check_token(const State& old_state, const State& new_state) const {
    EXPECT_EQ(entries(), old_state.entries);
    done({"-certreq", "-alias", "web"});
    done({"-cleanup", "-noprompt"});
    EXPECT_THAT(state(), AnyOf(Eq(old_state), Eq(new_state)));
    EXPECT_THAT(done({"-list"}), Not(HasSubstr("nfinished")));
  }

  std::unique_ptr<SmallDisk> disk_;
};

TEST_F(FullDiskTest, GenerationLeavesNothing) {
  EXPECT_GT(sweep({"-genkeypair", "-alias", "new", "-keyalg", "EC", "-dname", "CN=localhost"}), 0);
}

TEST_F(FullDiskTest, RenewalKeepsTheOldCertificate) {
  EXPECT_GT(sweep({"-importcert", "-alias", "web", "-file", write("new.pem", reply("web"))}), 0);
}

TEST_F(FullDiskTest, TrustedImportLeavesNothing) {
  EXPECT_GT(sweep({"-importcert", "-noprompt", "-alias", "root", "-file", write("root.pem", ca_.root_pem())}),
            0);
}

TEST_F(FullDiskTest, RenamingKeepsTheOldName) {
  sweep({"-changealias", "-alias", "web", "-destalias", "new"});
}

// SoftHSM writes an object where it is: a longer name makes its file grow, and by a page at that.
TEST_F(FullDiskTest, RenamingToALongerNameKeepsTheOldName) {
  for (const std::size_t size : {200U, 4000U}) {
    EXPECT_GT(sweep({"-changealias", "-alias", "web", "-destalias", std::string(size, 'n')}), 0);
    restore("before");
  }
}

TEST_F(FullDiskTest, DeletionOfOneAliasKeepsTheOther) {
  make_alias("old");
  sweep({"-delete", "-alias", "old"});
}

}  // namespace
}  // namespace keystay::tools
