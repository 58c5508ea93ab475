// SPDX-License-Identifier: Apache-2.0
#include "tests/power/disk.h"

#include <algorithm>
#include <cstdlib>

namespace statecpp {
namespace {

using Kind = DiskEvent::Kind;

// What a file holds where it was cut off and grew again.
constexpr char kZeros[4096] = {};

size_t FirstMove(const Recording& recording) {
  for (size_t i = 0; i < recording.events.size(); ++i) {
    if (recording.events[i].names.size() > 1) return i;
  }
  return recording.events.size();
}

void Put(const Disk::Piece& piece, std::string& bytes) {
  const uint64_t end = piece.offset + piece.bytes.size();
  if (bytes.size() < end) bytes.resize(end);
  bytes.replace(piece.offset, piece.bytes.size(), piece.bytes.data(),
                piece.bytes.size());
}

}  // namespace

Disk::Disk(const Recording& recording, Promises promises)
    : recording_(recording),
      promises_(promises),
      first_move_(FirstMove(recording)),
      folders_(recording.folders) {
  for (const auto& [node, bytes] : recording.files) {
    files_[node].arrived = bytes;
  }
  for (size_t i = 0; i < recording.nodes.size(); ++i) {
    const NodeId node = static_cast<NodeId>(i);
    if (recording.nodes[i].is_folder) {
      folders_[node];
    } else {
      files_[node];
    }
  }
}

void Disk::GoOn(size_t events) {
  while (happened_ < events) {
    if (happened_ > returned_) Return(returned_++);
    if (happened_ == recording_.events.size()) return;
    Happen(happened_++);
  }
}

uint64_t Disk::SizeOf(const File& file) {
  return file.resizes.empty() ? file.arrived.size()
                              : file.resizes.back().second;
}

void Disk::Happen(size_t event) {
  const DiskEvent& it = recording_.events[event];
  switch (it.kind) {
    case Kind::kWrite:
      return Write(event);
    case Kind::kResize:
      return Resize(event);
    case Kind::kNames:
      return renames_.push_back(event);
    case Kind::kSync:
      return;
    case Kind::kFailedSync:
      if (!promises_.forgets_failed) return;
      for (Piece& piece : files_[it.node].pieces) piece.is_forgotten = true;
      return;
  }
}

void Disk::Return(size_t event) {
  const DiskEvent& it = recording_.events[event];
  if (IsLie(event)) return;
  if (it.kind == Kind::kWrite && it.is_synced) {
    SyncRange(files_[it.node], it.offset, it.offset + it.bytes.size());
  } else if (it.kind == Kind::kSync) {
    if (recording_.nodes[it.node].is_folder) {
      SyncFolder(it.node);
    } else {
      SyncFile(files_[it.node]);
    }
  }
}

bool Disk::IsLie(size_t event) const {
  const DiskEvent& it = recording_.events[event];
  switch (promises_.lie) {
    case Lie::kNone:
      return false;
    case Lie::kSyncsNoData:
      return it.kind == Kind::kSync && !recording_.nodes[it.node].is_folder;
    case Lie::kSyncsNoNames:
      return it.kind == Kind::kSync && recording_.nodes[it.node].is_folder;
    case Lie::kSyncsAfterNames:
      return event < first_move_;
  }
  return false;
}

void Disk::Write(size_t event) {
  const DiskEvent& it = recording_.events[event];
  File& file = files_[it.node];
  AddPieces(file, event, it.offset, it.bytes);
  const uint64_t end = it.offset + it.bytes.size();
  if (end > SizeOf(file)) file.resizes.emplace_back(event, end);
}

void Disk::Resize(size_t event) {
  const DiskEvent& it = recording_.events[event];
  File& file = files_[it.node];
  const uint64_t former = SizeOf(file);
  for (uint64_t at = it.offset; at < former;) {
    const uint64_t size = std::min(former - at, uint64_t{sizeof(kZeros)});
    AddPieces(file, event, at, {kZeros, size});
    at += size;
  }
  file.resizes.emplace_back(event, it.offset);
}

void Disk::AddPieces(File& file, size_t event, uint64_t offset,
                     absl::string_view bytes) {
  const DiskEvent& it = recording_.events[event];
  while (!bytes.empty()) {
    const uint64_t room = promises_.sector - offset % promises_.sector;
    const size_t size = std::min<size_t>(room, bytes.size());
    file.pieces.push_back(
        {.event = event,
         .offset = offset,
         .bytes = bytes.substr(0, size),
         .is_forgotten = it.has_failed && promises_.forgets_failed});
    offset += size;
    bytes.remove_prefix(size);
  }
}

// A sector that was forgotten is written again when it is written to again,
// which makes it whole: the cache has all of it.
void Disk::SyncFile(File& file) { SyncRange(file, 0, ~uint64_t{0}); }

void Disk::SyncRange(File& file, uint64_t from, uint64_t to) {
  const uint64_t first = from / promises_.sector;
  const uint64_t last = (to - 1) / promises_.sector;
  std::map<uint64_t, bool> is_written;
  for (const Piece& piece : file.pieces) {
    is_written[piece.offset / promises_.sector] |= !piece.is_forgotten;
  }
  std::vector<Piece> left;
  for (const Piece& piece : file.pieces) {
    const uint64_t sector = piece.offset / promises_.sector;
    if (sector >= first && sector <= last && is_written[sector]) {
      Put(piece, file.arrived);
    } else {
      left.push_back(piece);
    }
  }
  file.pieces = std::move(left);
  // All sizes; or that which the range needs.
  if (to == ~uint64_t{0}) {
    file.arrived.resize(SizeOf(file));
    file.resizes.clear();
  }
}

void Disk::SyncFolder(NodeId folder) {
  std::vector<size_t> left;
  for (const size_t event : renames_) {
    const std::vector<NameChange>& names = recording_.events[event].names;
    if (names.front().folder != folder) {
      left.push_back(event);
      continue;
    }
    for (const NameChange& change : names) {
      // A rename to another folder would be on its way in one and not in the
      // other; nobody does that here.
      if (change.folder != folder) std::abort();
      folders_[folder][change.name] = change.node;
      if (change.node == kNoNode) folders_[folder].erase(change.name);
    }
  }
  renames_ = std::move(left);
}

}  // namespace statecpp
