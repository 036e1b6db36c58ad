// SPDX-License-Identifier: Apache-2.0
#include "src/store/create.h"

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

#include <fcntl.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/store/info_table.h"
#include "src/store/schema.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

UserError cannot_create(const std::string& path, const std::string& reason) {
  return UserError(ErrorCode::store, "cannot create '" + path + "': " + reason);
}

/// A database under a name of its own until it is complete; removed, with SQLite's files beside it, unless
/// published.
class DraftFile {
 public:
  explicit DraftFile(const std::string& path)
      : path_(path), draft_(path + ".new-" + std::to_string(::getpid())) {
    remove();
  }
  ~DraftFile() { remove(); }
  DraftFile(const DraftFile&) = delete;
  DraftFile& operator=(const DraftFile&) = delete;

  const std::string& name() const { return draft_; }

  /// Gives the finished file its name, unless that name was taken meanwhile.
  void publish() {
    remove_remains();
    std::error_code failure;
    fs::create_hard_link(draft_, path_, failure);
    if (failure && failure != std::errc::file_exists && !fs::exists(path_)) {
      // A file system without hard links.
      failure.clear();
      fs::rename(draft_, path_, failure);
    }
    if (failure) throw cannot_create(path_, failure.message());
  }

 private:
  /// What SQLite kept beside a database of this name that was removed: it would be taken for a part of this
  /// one.
  void remove_remains() const {
    std::error_code ignored;
    if (fs::exists(fs::symlink_status(path_, ignored))) return;
    for (const char* suffix : {"-journal", "-wal", "-shm"})
      fs::remove(path_ + suffix, ignored);
  }

  void remove() const {
    std::error_code ignored;
    for (const char* suffix : {"", "-journal", "-wal", "-shm"})
      fs::remove(draft_ + suffix, ignored);
  }

  std::string path_;
  std::string draft_;
};

/// Makes a file beside the database and removes it: permissions alone do not tell what a file system allows.
void check_can_write(const std::string& path) {
  const std::string probe = path + ".new-" + std::to_string(::getpid());
  const int descriptor = ::open(probe.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) throw cannot_create(path, std::strerror(errno));
  ::close(descriptor);
  ::unlink(probe.c_str());
}

}  // namespace

void check_can_create(const std::string& path) {
  if (path.empty()) throw UserError(ErrorCode::store, "the name of the database is empty");
  if (fs::exists(fs::symlink_status(path)))
    throw cannot_create(path, "it exists already; choose another name");
  const fs::path folder = fs::path(path).has_parent_path() ? fs::path(path).parent_path() : fs::path(".");
  if (!fs::is_directory(folder)) throw cannot_create(path, "there is no folder '" + folder.string() + "'");
  check_can_write(path);
}

void fill_database(const Database& database, const CampaignInfo& info,
                   const std::function<void(const Database&)>& fill) {
  Transaction transaction(database);
  database.execute(kSchema);
  write_info(database, info);
  if (fill) fill(database);
  transaction.commit();
}

void create_database(const std::string& path, const CampaignInfo& info,
                     const std::function<void(const Database&)>& fill) {
  check_can_create(path);
  DraftFile draft(path);
  {
    Database database(draft.name(), Database::Mode::create, path);
    fill_database(database, info, fill);
    // Kept in the file: readers can then look at a campaign while it runs.
    database.execute("PRAGMA journal_mode = WAL");
  }
  draft.publish();
}

}  // namespace faultwave
