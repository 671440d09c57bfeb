//===- TopKStrategy.cpp - Kernels of the first elements of rows in order ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OrderedStrategy.h"
#include "tenon/Codegen/Common/TileBuilder.h"
#include "tenon/Codegen/Common/VectorSpace.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// Of each result so many candidates are collected before they are sorted.
static constexpr int64_t candidatesPerResult = 4;

namespace {
class TopKStrategy : public OrderedStrategy {
public:
  StringRef getName() const override { return "topk"; }
  bool suits(const OpGroup &group) const override { return llvm::any_of(group.ops(), llvm::IsaPred<TopKOp>); }

protected:
  void write(KernelOp kernel, ScheduleAttr schedule) const override;
};
} // namespace

void TopKStrategy::write(KernelOp kernel, ScheduleAttr schedule) const {
  TileBuilder builder(kernel);
  TopKOp op = *kernel.getBody().getOps<TopKOp>().begin();
  int64_t dim = op.getDim();
  Type element = getElementTypeOrSelf(op.getOperand().getType());
  auto sizesOf = [&](Value value) {
    return llvm::map_to_vector(builder.sizes.sizesOf(value), [&](AffineExpr size) { return builder.size(size); });
  };
  SmallVector<AffineExpr> space = sizesOf(op.getOperand());
  AffineExpr zero = builder.constant(0), results = sizesOf(op.getValues())[dim];
  Value scratch;
  // What the memory's type says, as more may be known of k.
  int64_t known = cast<RankedTensorType>(op.getValues().getType()).getDimSize(dim);
  if (ShapedType::isDynamic(known) || known > TopKRowOp::mostKept) {
    // Room for all of a row, or for what is collected before it is sorted.
    auto bytesOf = [&](AffineExpr collected) {
      return (collected + TopKRowOp::chunk) * TopKRowOp::getCandidateBytes(element);
    };
    scratch = builder.scratch(builder.min(bytesOf(space[dim]), bytesOf(results * candidatesPerResult)),
                              IntegerType::get(kernel.getContext(), 8), MemoryKind::workgroup);
  }
  SmallVector<TileBuilder::Dim> units;
  for (auto [d, size] : llvm::enumerate(space))
    if ((int64_t)d != dim)
      units.push_back({zero, size});
  if (units.empty())
    units.push_back({zero, builder.constant(1)});
  builder.grid(units, [&](TileBuilder::Expressions at) {
    SmallVector<AffineExpr> place(space.size(), zero);
    for (int64_t d = 0, next = 0; d < (int64_t)space.size(); ++d)
      if (d != dim)
        place[d] = at[next++];
    // What of the two results the kernel yields.
    auto memoryOf = [&](Value result) {
      ValueRange yielded = builder.results();
      auto place = llvm::find(yielded, result);
      return place == yielded.end() ? Value() : builder.result(std::distance(yielded.begin(), place));
    };
    builder.topk(builder.memoryOf(op.getOperand()), place, dim, std::min(lanesOf(schedule), TopKRowOp::chunk),
                 op.getSmallest(), memoryOf(op.getValues()), memoryOf(op.getIndices()), scratch);
  });
}

void codegen::addTopKStrategy(TileDialect *dialect) { addStrategy<TopKStrategy>(dialect); }
