// SPDX-License-Identifier: Apache-2.0
//
// The store as a library: no daprd, no socket, no other process.
#include <iostream>

#include "engine/store.h"

int main(int argc, char** argv) {
  using statecpp::Precondition, statecpp::Store;
  const auto store = Store::Open({.path = argc > 1 ? argv[1] : "orders"});
  if (!store.ok()) {
    std::cerr << store.status() << "\n";
    return 1;
  }
  const auto first = (*store)->Set({.key = "o1", .value = "paid"});
  std::cout << "set:      " << first.status() << "\n";
  const auto item = (*store)->Get("o1");
  std::cout << "get:      " << (*item)->value << "\n";

  // Two writers hold the same ETag. The second is told, and changes nothing.
  const auto if_first = Precondition::Match(*first);
  const auto won = (*store)->Set(
      {.key = "o1", .value = "shipped", .precondition = if_first});
  std::cout << "set:      " << won.status() << "\n";
  const auto lost = (*store)->Set(
      {.key = "o1", .value = "refunded", .precondition = if_first});
  std::cout << "conflict: " << lost.status().message() << "\n";

  std::cout << "delete:   " << (*store)->Delete({.key = "o1"}) << "\n";
  std::cout << "get:      "
            << ((*store)->Get("o1")->has_value() ? "an item" : "no item")
            << "\n";
}
