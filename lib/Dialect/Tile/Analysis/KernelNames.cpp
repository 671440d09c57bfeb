//===- KernelNames.cpp - What kernels are called ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tile/Analysis/KernelNames.h"

#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tile/Analysis/KernelStructure.h"

#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/xxhash.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

/// Names get long: what the first ops are says enough.
static constexpr size_t maxWords = 5;

static bool isZero(Value value) {
  auto number = dyn_cast_if_present<FloatAttr>(splatOf(value));
  return number && number.getValue().isZero();
}

/// Whether an operand is one number per column, or per channel.
static bool isPerColumn(Value value) {
  auto broadcast = value.getDefiningOp<BroadcastOp>();
  return broadcast && isa<BlockArgument>(broadcast.getOperand()) && broadcast.getDims().size() == 1;
}

/// What a person calls an op; empty where it says nothing of what the kernel is for.
static StringRef wordOf(Operation *op) {
  bool isPerColumn = llvm::any_of(op->getOperands(), ::isPerColumn);
  bool hasZero = llvm::any_of(op->getOperands(), ::isZero);
  return llvm::TypeSwitch<Operation *, StringRef>(op)
      .Case([](ContractOp contract) {
        if (contract.getLhs().getDefiningOp<WindowRowsOp>())
          return "conv";
        return constantDepth(contract) ? "linear" : "matmul";
      })
      .Case([](WindowOp window) { return window.getCombiner() == Combiner::max ? "maxpool" : "avgpool"; })
      .Case([](ReduceOp reduce) { return stringifyCombiner(reduce.getCombiner()); })
      .Case([](ArgReduceOp reduce) { return reduce.getCombiner() == Combiner::max ? "argmax" : "argmin"; })
      .Case([&](AddOp) { return isPerColumn ? "bias" : "add"; })
      .Case([&](MulOp) { return isPerColumn ? "scale" : "mul"; })
      .Case([&](MaxOp) { return hasZero ? "relu" : "max"; })
      .Case<BroadcastOp, ConstantOp, BindShapeOp, WindowRowsOp, FromSizesOp>([](auto) { return ""; })
      .Default([](Operation *op) {
        return isa_and_present<TenonDialect>(op->getDialect()) ? op->getName().stripDialect() : "";
      });
}

std::string tenon::tile::contentOf(KernelOp kernel) {
  StringAttr name = kernel.getSymNameAttr();
  kernel.setSymName("kernel");
  std::string text;
  llvm::raw_string_ostream(text) << kernel;
  kernel.setSymNameAttr(name);
  return text;
}

std::string tenon::tile::nameOf(KernelOp kernel, StringRef content) {
  SmallVector<StringRef> words;
  // How columns are made of constants says nothing of what is computed.
  DenseSet<Operation *> columns;
  for (ContractOp op : kernel.getBody().getOps<ContractOp>())
    if (std::optional<ConstantExpression> expression = columnsExpression(op))
      columns.insert(expression->getOps().begin(), expression->getOps().end());
  for (Operation &op : kernel.getBody().front())
    if (StringRef word = columns.contains(&op) ? "" : wordOf(&op);
        !word.empty() && (words.empty() || words.back() != word))
      words.push_back(word);
  if (words.empty())
    words.push_back("copy");
  if (words.size() > maxWords)
    words.resize(maxWords);
  uint32_t hash = llvm::xxh3_64bits(content);
  return llvm::formatv("{0}_{1:x-8}", llvm::join(words, "_"), hash);
}
