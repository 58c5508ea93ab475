// SPDX-License-Identifier: Apache-2.0
#include "tests/power/disk_image.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/match.h"

namespace statecpp {
namespace {

constexpr size_t kNever = 0;
constexpr size_t kInTheEnd = ~size_t{0};

// A part of the disk that is as it was at one moment: a sector or a page of a
// file, all of whose pieces before event `until` have arrived.
struct Unit {
  NodeId node;
  std::vector<size_t> pieces;
  // Exclusive; counts pieces and not events, since a write may stop between.
  size_t until = kNever;
};

// What is drawn for one image.
class Draw {
 public:
  Draw(const Disk& disk, uint64_t seed, uint64_t choice)
      : disk_(disk), random_(seed * 0x9E3779B97F4A7C15u + choice) {
    unit_size_ = Below(2) == 0 ? disk.sector() : 4096;
    for (const auto& [node, file] : disk.files()) {
      std::map<uint64_t, Unit> units;
      for (size_t i = 0; i < file.pieces.size(); ++i) {
        Unit& unit = units[file.pieces[i].offset / unit_size_];
        unit.node = node;
        unit.pieces.push_back(i);
      }
      for (auto& [at, unit] : units) units_.push_back(std::move(unit));
    }
    renames_.assign(disk.renames().size(), false);
    Choose(choice);
  }

  enum class Sizes { kOfBytes, kArrived, kFinal };

  const std::vector<Unit>& units() const { return units_; }
  const std::vector<bool>& renames() const { return renames_; }
  Sizes sizes() const { return sizes_; }
  bool is_old() const { return is_old_; }

  // What the disk held before, where a new part of a file did not arrive.
  void FillNew(std::string& bytes, size_t from) {
    if (!noise_) return;
    std::minstd_rand noise(static_cast<uint32_t>(random_()));
    for (size_t i = from; i < bytes.size(); ++i) {
      bytes[i] = static_cast<char>(noise() >> 8);
    }
  }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  void Choose(uint64_t choice) {
    switch (choice) {
      case 0:
        return Fill(kNever, Sizes::kArrived);
      case 1:
        return Fill(kInTheEnd, Sizes::kFinal);
      case 2:
        return Fill(kNever, Sizes::kFinal);
      case 3:
        return Fill(kInTheEnd, Sizes::kArrived);
      default:
        sizes_ = static_cast<Sizes>(Below(3));
        noise_ = Below(4) == 0;
        is_old_ = Below(2) == 0;
        return Mix();
    }
  }

  void Fill(size_t until, Sizes sizes) {
    for (Unit& unit : units_) unit.until = until;
    renames_.assign(renames_.size(), until == kInTheEnd);
    sizes_ = sizes;
  }

  void Mix() {
    const uint64_t all = units_.size() + renames_.size();
    if (all == 0) return;
    switch (Below(5)) {
      case 0:  // all but one
        Fill(kInTheEnd, sizes_);
        return Set(Below(all), kNever);
      case 1:  // one
        Fill(kNever, sizes_);
        return Set(Below(all), kInTheEnd);
      case 2:
        return CutAt(Below(disk_.recording().events.size() + 1));
      case 3: {  // some
        const uint64_t share = 1 + Below(9);
        for (uint64_t i = 0; i < all; ++i) {
          Set(i, Below(10) < share ? kInTheEnd : kNever);
        }
        return;
      }
      default:  // some as they were in between
        for (uint64_t i = 0; i < all; ++i) {
          Set(i, Below(2) == 0 ? kInTheEnd : kNever);
          if (i < units_.size()) {
            units_[i].until = Below(units_[i].pieces.size() + 1);
          }
        }
    }
  }

  void Set(uint64_t i, size_t until) {
    if (i < units_.size()) {
      units_[i].until = until;
    } else {
      renames_[i - units_.size()] = until == kInTheEnd;
    }
  }

  // In the order in which things happened, up to a moment, which is drawn among
  // what is on its way; of the write of that moment some first pieces.
  void CutAt(uint64_t any) {
    std::vector<size_t> moments = disk_.renames();
    for (const Unit& unit : units_) {
      for (const size_t i : unit.pieces)
        moments.push_back(PieceOf(unit, i).event);
    }
    std::sort(moments.begin(), moments.end());
    const size_t moment = moments[any % moments.size()];
    size_t torn = Below(std::count(moments.begin(), moments.end(), moment) + 1);
    for (Unit& unit : units_) {
      unit.until = 0;
      for (const size_t i : unit.pieces) {
        const size_t event = PieceOf(unit, i).event;
        const bool is_part = event == moment && torn > 0;
        if (is_part) --torn;
        if (event < moment || is_part) ++unit.until;
      }
    }
    for (size_t i = 0; i < renames_.size(); ++i) {
      renames_[i] = disk_.renames()[i] < moment;
    }
  }

  const Disk::Piece& PieceOf(const Unit& unit, size_t i) const {
    return disk_.files().at(unit.node).pieces[i];
  }

  const Disk& disk_;
  std::mt19937_64 random_;
  uint64_t unit_size_;
  std::vector<Unit> units_;
  std::vector<bool> renames_;
  Sizes sizes_ = Sizes::kOfBytes;
  bool noise_ = false;
  bool is_old_ = false;
};

// The bytes of a file of which those pieces have arrived.
std::string Assemble(const Disk::File& file,
                     const std::vector<const Unit*>& units, Draw& draw) {
  std::string bytes = file.arrived;
  const size_t known = bytes.size();
  bytes.resize(std::max<uint64_t>(known, Disk::SizeOf(file)));
  draw.FillNew(bytes, known);
  size_t last_event = 0;
  bool any = false;
  for (const Unit* unit : units) {
    const size_t count = std::min(unit->until, unit->pieces.size());
    for (size_t i = 0; i < count; ++i) {
      const Disk::Piece& piece = file.pieces[unit->pieces[i]];
      const size_t end = piece.offset + piece.bytes.size();
      if (bytes.size() < end) bytes.resize(end);
      piece.bytes.copy(bytes.data() + piece.offset, piece.bytes.size());
      last_event = std::max(last_event, piece.event);
      any = true;
    }
  }
  uint64_t size = known;
  if (draw.sizes() == Draw::Sizes::kFinal) size = Disk::SizeOf(file);
  if (draw.sizes() == Draw::Sizes::kOfBytes && any) {
    for (const auto& [event, to] : file.resizes) {
      if (event <= last_event) size = to;
    }
  }
  bytes.resize(size);
  return bytes;
}

void WriteFile(const std::string& path, const std::string& bytes) {
  const int fd = open(path.c_str(), O_CREAT | O_TRUNC | O_WRONLY, 0600);
  if (fd < 0 || pwrite(fd, bytes.data(), bytes.size(), 0) !=
                    static_cast<ssize_t>(bytes.size())) {
    std::abort();
  }
  close(fd);
}

}  // namespace

DiskImage DiskImage::Of(const Disk& disk, uint64_t seed, uint64_t choice) {
  Draw draw(disk, seed, choice);
  DiskImage image;
  std::map<NodeId, std::vector<const Unit*>> units;
  for (const Unit& unit : draw.units()) units[unit.node].push_back(&unit);
  for (const auto& [node, file] : disk.files()) {
    image.files_[node] = Assemble(file, units[node], draw);
  }
  image.folders_ = disk.folders();
  for (size_t i = 0; i < disk.renames().size(); ++i) {
    if (!draw.renames()[i]) continue;
    for (const NameChange& change :
         disk.recording().events[disk.renames()[i]].names) {
      Disk::Names& names = image.folders_[change.folder];
      names[change.name] = change.node;
      if (change.node == kNoNode) names.erase(change.name);
    }
  }
  image.is_old_ = draw.is_old();
  return image;
}

void DiskImage::WriteTo(const std::string& folder) const {
  WriteFolder(kRootFolder, folder);
}

void DiskImage::WriteFolder(NodeId folder, const std::string& path) const {
  for (const auto& [name, node] : folders_.at(folder)) {
    const std::string child = path + "/" + name;
    if (files_.count(node) != 0) {
      WriteFile(child, files_.at(node));
      continue;
    }
    if (mkdir(child.c_str(), 0700) != 0) std::abort();
    WriteFolder(node, child);
    if (is_old_ && absl::StartsWith(name, ".")) {
      const timespec long_ago[2] = {};
      utimensat(AT_FDCWD, child.c_str(), long_ago, 0);
    }
  }
}

}  // namespace statecpp
