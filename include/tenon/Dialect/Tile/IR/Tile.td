//===- Tile.td - All of the dialect, for its reference ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

include "tenon/Dialect/Tile/IR/TileOps.td"
include "tenon/Dialect/Tile/IR/TilePrograms.td"
