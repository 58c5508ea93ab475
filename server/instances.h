// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_SERVER_INSTANCES_H_
#define STATECPP_SERVER_INSTANCES_H_

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "api/component_config.h"
#include "api/init_request.h"
#include "api/instance_record.h"
#include "crypto/master_key.h"
#include "engine/keys_status.h"
#include "engine/store.h"
#include "server/data_root.h"
#include "server/instance_figures.h"
#include "server/server_keys.h"
#include "server/worker_pool.h"

namespace statecpp {

// A configured component instance, as requests use it. A call keeps the one it
// found until it is answered, whatever Init does meanwhile.
struct Instance {
  ComponentConfig config;
  std::shared_ptr<Store> store;
  // Kept from one Init to the next.
  std::shared_ptr<InstanceFigures> figures;
};

// The component instances of this process, by the name that daprd sends with
// every call.
//
// daprd configures an instance once, by Init, and never again after a restart
// of ours; so the configuration is remembered in the data root, and an instance
// comes back on its first use. The last Init wins: daprd sends one whenever it
// starts or the component changes, and several daprds may share an instance.
//
//   same dataDir      the open store is kept, settings are swapped, maxSize
//                     may only grow, the last cleanupInterval holds
//   another dataDir   is opened first and then replaces the former one, which
//                     is closed when its last call ends; if it cannot be
//                     opened, Init fails and the former one goes on serving
//   same dataDir in   one open store is shared; the second Init fails if the
//   two instances     two disagree on encryption
//
// A sealed store is opened with the component's own key, else the server's. A
// key given by Init must open the store also where it is open already. One that
// came with Init as a value is gone after a restart: the instance then comes
// back if the server's key opens its store, else with the next Init.
//
// Thread-safe.
class Instances {
 public:
  struct Options {
    int max_instances = 256;
    bool allow_network_file_system = false;
    // As in statecpp::Options, for every store.
    std::function<void(const absl::Status&)> on_failed = nullptr;
    void (*on_assertion)(const char* text) = nullptr;
  };

  // `root` and `keys` outlive this.
  Instances(const DataRoot& root, const ServerKeys& keys, Options options);

  // Configures an instance. Waits up to `lockTimeout` for another process to
  // let go of the store.
  //
  // INVALID_ARGUMENT: a property is not valid, or another value of
  //     `encryption` than the store's.
  // PERMISSION_DENIED: there is no key, or not the store's.
  // UNAVAILABLE: another process holds the store.
  // RESOURCE_EXHAUSTED: there are as many instances as may be.
  // DATA_LOSS: the store is damaged.
  // Those of Store::Open. Whatever fails, a former configuration goes on.
  absl::Status Init(absl::string_view id, InitProperties init)
      ABSL_LOCKS_EXCLUDED(init_mutex_, mutex_);

  // The instance, if it is configured and open; nullptr: Recall may help. Never
  // waits for a disk.
  std::shared_ptr<const Instance> Find(absl::string_view id) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The instance, brought back from what is remembered if need be. Does not
  // wait for another process: the call can be made again, and others are in
  // line.
  //
  // UNAVAILABLE: it was never configured here, or what is remembered cannot be
  //     read or lacks the key; the text says how to have daprd configure it.
  // Those of Init. Where a key is missing, it is looked for once a second at
  // most, and calls between are answered alike.
  absl::StatusOr<std::shared_ptr<const Instance>> Recall(absl::string_view id)
      ABSL_LOCKS_EXCLUDED(init_mutex_, mutex_);

  // Looks for remembered instances whose key is missing, for MissesKey. Opens
  // the stores of those whose key is forgotten, with the server's.
  void LookForMissingKeys() ABSL_LOCKS_EXCLUDED(init_mutex_, mutex_);

  // Whether there is an instance that cannot be served until a key comes. Never
  // waits for a disk.
  bool MissesKey() const ABSL_LOCKS_EXCLUDED(mutex_);

  // All that are configured and open, by name, and the names of those that
  // could not be brought back when they were last asked for. Never wait for a
  // disk.
  std::map<std::string, std::shared_ptr<const Instance>> All() const
      ABSL_LOCKS_EXCLUDED(mutex_);
  std::vector<std::string> Down() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Why the store of that `dataDir` could not be opened when an instance of it
  // was last asked for; empty: it could, or was not asked for.
  std::string WhyDown(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // A store to be worked on by who asks on the admin socket.
  struct ForAdmin {
    std::shared_ptr<Store> store;
    // Reads the keys that the store will be opened with from now on, as they
    // are now: the server's own, and those that components of this store name
    // and that can be had without another Init.
    std::function<absl::StatusOr<MasterKeys>()> load_keys;
  };

  // The store of that `dataDir`, as it is open; else as an instance that is
  // remembered has it opened; else with the server's own key, from when on it
  // stays open as if an instance had it. Never makes one.
  //
  // NOT_FOUND: there is no such store.
  // Those of Recall. Waits while an instance is configured.
  absl::StatusOr<ForAdmin> StoreForAdmin(absl::string_view data_dir)
      ABSL_LOCKS_EXCLUDED(init_mutex_, mutex_);

  // What can be said of the keys of a store that StoreForAdmin has no key for.
  // UNAVAILABLE: it is open by now.
  absl::StatusOr<KeysStatus> PeekKeysOf(absl::string_view data_dir)
      ABSL_LOCKS_EXCLUDED(init_mutex_);

  // The store of that `dataDir` if it is open. Never waits for a disk.
  std::shared_ptr<Store> OpenStoreOf(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_);

  // The `dataDir` of every store that is open. Never waits for a disk.
  std::set<std::string> OpenDataDirs() const ABSL_LOCKS_EXCLUDED(mutex_);

  // Lets go of every store; those in use are closed with their last call.
  void Close() ABSL_LOCKS_EXCLUDED(init_mutex_, mutex_);

 private:
  // A store that is open, and what cannot differ between those that share it.
  struct Shared {
    std::weak_ptr<Store> store;
    Encryption encryption = Encryption::kRequired;
  };

  // How a store is opened.
  struct Opening {
    // With what keys; null: the store is plain.
    std::shared_ptr<const MasterKeys> keys;
    // For another process to let go of it.
    bool wait;
    bool create;
  };
  // An instance that could not be brought back.
  struct Missing {
    // Empty where that cannot be read.
    std::string data_dir;
    absl::Status why;
    // Before that nobody looks, if it is for a key.
    absl::Time look_again;
  };

  // Reads the configuration and opens its store, with what Init brought.
  absl::StatusOr<std::shared_ptr<const Instance>> Prepare(
      absl::string_view name, InitProperties init)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(init_mutex_);
  // The same with what is remembered of it.
  absl::StatusOr<std::shared_ptr<const Instance>> Reopen(
      absl::string_view name, const InstanceRecord& record)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(init_mutex_);
  std::shared_ptr<InstanceFigures> FiguresOf(absl::string_view name) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<InstanceRecord> Remembered(absl::string_view name) const;
  absl::StatusOr<std::shared_ptr<const Instance>> RecallLocked(
      absl::string_view name) ABSL_EXCLUSIVE_LOCKS_REQUIRED(init_mutex_)
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Notes that the instance is down, and logs why where that is news.
  void NoteDown(absl::string_view name, const Properties& properties,
                const absl::Status& why) ABSL_LOCKS_EXCLUDED(mutex_);
  // Logs a call for an instance that is not even remembered: of such names
  // there is no end.
  void NoteUnknown(absl::string_view name, const absl::Status& why)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(init_mutex_);
  // Whether there may be one more, if there is none of that name.
  absl::Status CheckRoom(absl::string_view name) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  // Has calls find the instance from now on.
  void Install(absl::string_view name, std::shared_ptr<const Instance> instance)
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::shared_ptr<Store>> OpenStore(
      const ComponentConfig& config, const Opening& opening)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(init_mutex_);
  absl::Status Remember(absl::string_view name, const Properties& properties);

  // The instances that are configured or remembered with that `dataDir`, and
  // where each has its key.
  std::map<std::string, OwnKey> UsersOf(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<MasterKeys> LoadKeysOf(absl::string_view data_dir) const
      ABSL_LOCKS_EXCLUDED(mutex_);
  absl::StatusOr<std::shared_ptr<Store>> OpenWithOwnKey(
      const std::string& data_dir, const std::string& path)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(init_mutex_);

  const DataRoot& root_;
  const ServerKeys& keys_;
  const Options options_;

  // Closes stores. The last to let go of one may be its own commit thread,
  // which cannot wait for its own end.
  const std::shared_ptr<WorkerPool> closer_ = std::make_shared<WorkerPool>(1);

  // Held for as long as an instance is configured: one at a time.
  absl::Mutex init_mutex_;
  std::map<std::string, Shared> shared_ ABSL_GUARDED_BY(init_mutex_);
  absl::Time tell_of_unknown_ ABSL_GUARDED_BY(init_mutex_) =
      absl::InfinitePast();

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<std::string, std::shared_ptr<const Instance>> instances_
      ABSL_GUARDED_BY(mutex_);
  // All of them are remembered in the data root.
  absl::flat_hash_map<std::string, Missing> down_ ABSL_GUARDED_BY(mutex_);
  // By `dataDir`: opened for an admin, and in no instance then. What was begun
  // there, as a rotation, goes on.
  std::map<std::string, std::shared_ptr<Store>, std::less<>> for_admin_
      ABSL_GUARDED_BY(mutex_);
};

}  // namespace statecpp

#endif  // STATECPP_SERVER_INSTANCES_H_
