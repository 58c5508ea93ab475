// SPDX-License-Identifier: Apache-2.0
#ifndef STATECPP_CLI_EXPECTED_STORES_H_
#define STATECPP_CLI_EXPECTED_STORES_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/component_config.h"
#include "cli/component_file.h"

namespace statecpp {

// What components say of the stores of a data root: those whose YAML daprd is
// to read and, of the other stores, those that the server remembers.
//
// Thread-compatible.
class ExpectedStores {
 public:
  // What cannot be recalled of the server's memory is left out, as the server
  // does: daprd's next Init mends it.
  ExpectedStores(const std::string& data_root,
                 std::vector<ComponentFile> components);

  // The component whose YAML is at hand; nullptr if none is of that store.
  const ComponentFile* GivenFor(const std::string& store) const;

  // The default where nothing is known of the store.
  uint64_t MaxSizeOf(const std::string& store) const;

  // How much larger the store's file is to be able to become, by the maxSize
  // that its component names. 0 where none does: the default bounds a store,
  // and says nothing of how large anybody expects it to be.
  uint64_t RoomFor(const std::string& store) const;

 private:
  struct Remembered {
    ComponentConfig config;
    bool names_max_size;
  };

  static std::optional<Remembered> Recall(const std::string& data_root,
                                          const std::string& file);
  bool NamesMaxSize(const std::string& store) const;

  const std::string data_root_;
  const std::vector<ComponentFile> given_;
  std::vector<Remembered> remembered_;
};

}  // namespace statecpp

#endif  // STATECPP_CLI_EXPECTED_STORES_H_
