//===- ProgramPlan.cpp - What a launch of a program needs to know ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProgramPlan.h"

#include "tenon/Codegen/Common/ElementEmitter.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::codegen;
using namespace tenon::tile;

/// Most bytes of a program's scratch that lie on the stack.
static constexpr int64_t mostStackBytes = 1 << 17;

static int64_t elementBytes(ScratchOp scratch) {
  Type storage = storageType(cast<MemRefType>(scratch.getResult().getType()).getElementType());
  return storage ? std::max<int64_t>(storage.getIntOrFloatBitWidth() / 8, 1) : 1;
}

SmallVector<std::pair<ScratchOp, ScratchPlace>> codegen::placeScratch(ProgramOp program) {
  SmallVector<std::pair<ScratchOp, ScratchPlace>> result;
  int64_t stackBytes = 0;
  for (auto scratch : program.getBody().getOps<ScratchOp>()) {
    auto type = cast<MemRefType>(scratch.getResult().getType());
    if (cast<MemoryAttr>(type.getMemorySpace()).getKind() == MemoryKind::launch) {
      result.push_back({scratch, ScratchPlace::launch});
      continue;
    }
    int64_t bytes = elementBytes(scratch);
    bool isSmall = type.hasStaticShape();
    for (int64_t size : type.getShape())
      isSmall = isSmall && !__builtin_mul_overflow(bytes, size, &bytes) && bytes <= mostStackBytes;
    isSmall = isSmall && stackBytes + (int64_t)llvm::alignTo(bytes, scratchAlignment) <= mostStackBytes;
    if (isSmall)
      stackBytes += llvm::alignTo(bytes, scratchAlignment);
    result.push_back({scratch, isSmall ? ScratchPlace::stack : ScratchPlace::workgroup});
  }
  return result;
}

namespace {
/// Numbers of a program as expressions of its index arguments, as symbols.
class PlanBuilder {
public:
  explicit PlanBuilder(ProgramOp program)
      : program(program), context(program.getContext()), sizes(context),
        indices(program.getBody().getArguments().take_front(program.getNumIndices())) {}

  FailureOr<PlanAttr> build() {
    SmallVector<Attribute> grids;
    for (auto grid : program.getBody().getOps<GridOp>()) {
      AffineMap counts = countsOf(grid);
      if (!counts)
        return grid.emitOpError(
            "expects bounds that follow from the program's index arguments: launches count its units");
      grids.push_back(AffineMapAttr::get(counts));
    }
    SmallVector<AffineExpr> bytes[2];
    for (auto [scratch, place] : placeScratch(program)) {
      if (place == ScratchPlace::stack)
        continue;
      SmallVector<AffineExpr> own = bytesOf(scratch);
      if (own.empty())
        return scratch.emitOpError(
            "expects sizes that follow from the program's index arguments: launches give the memory");
      SmallVector<AffineExpr> &all = bytes[place == ScratchPlace::launch], sums;
      if (all.empty())
        all.push_back(getAffineConstantExpr(0, context));
      // The sum of least ones is the least of all sums.
      for (AffineExpr first : all)
        for (AffineExpr second : own)
          sums.push_back(first + second);
      all = sums;
    }
    auto mapOf = [&](ArrayRef<AffineExpr> least) {
      return least.empty() ? AffineMapAttr()
                           : AffineMapAttr::get(simplifyAffineMap(AffineMap::get(0, indices.size(), least, context)));
    };
    IntegerSetAttr guard;
    if (std::optional<IntegerSet> set = program.getGuard()) {
      SmallVector<AffineExpr> symbols;
      for (unsigned i = 0; i < set->getNumDims(); ++i)
        symbols.push_back(getAffineSymbolExpr(i, context));
      guard = IntegerSetAttr::get(set->replaceDimsAndSymbols(symbols, {}, 0, symbols.size()));
    }
    return PlanAttr::get(context, ArrayAttr::get(context, grids), mapOf(bytes[0]), mapOf(bytes[1]),
                         program->getAttrOfType<AffineMapAttr>(kWorkersAttr), guard);
  }

private:
  /// The results of a map as expressions, or none where some follow from more than arguments.
  std::optional<SmallVector<AffineExpr>> expressionsOf(AffineMap map, ValueRange operands) {
    SmallVector<AffineExpr> values =
        llvm::map_to_vector(operands, [&](Value value) { return sizes.expressionOf(value); });
    SmallVector<AffineExpr> results;
    for (AffineExpr expression : map.getResults()) {
      AffineExpr all = sizes.simplify(expression.replaceDimsAndSymbols(ArrayRef(values).take_front(map.getNumDims()),
                                                                       ArrayRef(values).drop_front(map.getNumDims())));
      std::optional<AffineMap> known = sizes.mapOf(all, indices);
      if (!known)
        return std::nullopt;
      results.push_back(known->getResult(0));
    }
    return results;
  }

  /// How many units there are along each dimension.
  AffineMap countsOf(GridOp grid) {
    auto lows = expressionsOf(grid.getLower(), grid.getLowerIndices()),
         highs = expressionsOf(grid.getUpper(), grid.getUpperIndices());
    if (!lows || !highs)
      return AffineMap();
    SmallVector<AffineExpr> counts;
    for (auto [low, high, step] : llvm::zip(*lows, *highs, grid.getSteps()))
      counts.push_back((high - low).ceilDiv(step));
    return simplifyAffineMap(AffineMap::get(0, indices.size(), counts, context));
  }

  /// The bytes of a scratch, the least of them; none where they follow from more than arguments.
  SmallVector<AffineExpr> bytesOf(ScratchOp scratch) {
    auto type = cast<MemRefType>(scratch.getResult().getType());
    int64_t fixed = elementBytes(scratch);
    for (int64_t size : type.getShape())
      fixed *= ShapedType::isDynamic(size) ? 1 : size;
    SmallVector<AffineExpr> products = {getAffineConstantExpr(fixed, context)};
    if (std::optional<AffineMap> map = scratch.getSizes())
      for (unsigned i = 0; i < map->getNumResults(); ++i) {
        std::optional<SmallVector<AffineExpr>> least = leastOf(map->getSubMap({i}), scratch.getIndices());
        if (!least)
          return {};
        SmallVector<AffineExpr> next;
        for (AffineExpr product : products)
          for (AffineExpr size : *least)
            next.push_back(product * size);
        products = next;
      }
    return llvm::map_to_vector(products,
                               [](AffineExpr bytes) { return bytes.ceilDiv(scratchAlignment) * scratchAlignment; });
  }

  /// A size that is the minimum of several, or one.
  std::optional<SmallVector<AffineExpr>> leastOf(AffineMap size, ValueRange operands) {
    if (auto place = dyn_cast<AffineDimExpr>(size.getResult(0)))
      if (auto min = operands[place.getPosition()].getDefiningOp<affine::AffineMinOp>())
        return expressionsOf(min.getMap(), min.getOperands());
    return expressionsOf(size, operands);
  }

  ProgramOp program;
  MLIRContext *context;
  SizeAnalysis sizes;
  ValueRange indices;
};
} // namespace

FailureOr<PlanAttr> codegen::planOf(ProgramOp program) { return PlanBuilder(program).build(); }
