//===- GeneralizeSizes.cpp - Let kernels that differ in sizes be one ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Resolve.h"
#include "tenon/Dialect/Tile/Analysis/KernelDimensions.h"
#include "tenon/Dialect/Tile/Analysis/KernelNames.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::tile {
#define GEN_PASS_DEF_GENERALIZESIZESPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// A dimension of a kernel's iteration space, by its number, and its size.
struct Candidate {
  int dimension;
  int64_t size;
};

/// The dimensions of sizes that help no schedule, where nothing else needs them.
SmallVector<Candidate> candidatesOf(KernelOp kernel, const FusionPrices &prices) {
  const KernelStrategy *strategy = strategyOf(kernel);
  if (!strategy)
    return {};
  SizeAnalysis sizes(kernel.getContext());
  OpGroup group(kernel, sizes);
  KernelDimensions dimensions(kernel);
  llvm::SmallSetVector<int, 4> wanted;
  for (FreeSize size : strategy->freeSizesOf(group, strategy->structureOf(group), prices))
    wanted.insert(dimensions.of(size.tensor)[size.dim]);
  // Other tensors may have the dimension at a place where its size counts, or a constant that can't do
  // without it.
  SmallVector<Candidate> candidates;
  for (int dimension : wanted) {
    int64_t size = ShapedType::kDynamic;
    bool isFree = !dimensions.isFixed(dimension);
    for (Value tensor : dimensions.tensors())
      for (auto [dim, id] : llvm::enumerate(dimensions.of(tensor)))
        if (id == dimension) {
          size = cast<RankedTensorType>(tensor.getType()).getDimSize(dim);
          isFree &= !tensor.getDefiningOp<ConstantOp>();
        }
    if (isFree && !ShapedType::isDynamic(size) && size > 1)
      candidates.push_back({dimension, size});
  }
  return candidates;
}

/// Makes symbols of sizes of a kernel, in place, after those that it has.
void generalize(KernelOp kernel, ArrayRef<Candidate> candidates) {
  KernelDimensions dimensions(kernel);
  Block &body = kernel.getBody().front();
  OpBuilder builder(kernel.getContext());
  unsigned symbols = kernel.getNumSymbols();
  SmallVector<Type> arguments(kernel.getArgumentTypes());
  arguments.insert(arguments.begin() + symbols, candidates.size(), builder.getIndexType());
  // Attributes of the tensors move with them.
  if (ArrayAttr attributes = kernel.getArgAttrsAttr()) {
    SmallVector<Attribute> moved(attributes.begin(), attributes.end());
    moved.insert(moved.begin() + symbols, candidates.size(), builder.getDictionaryAttr({}));
    kernel.setArgAttrsAttr(builder.getArrayAttr(moved));
  }
  DenseMap<int, Value> symbolOf;
  for (auto [i, candidate] : llvm::enumerate(candidates))
    symbolOf[candidate.dimension] = body.insertArgument(symbols + i, builder.getIndexType(), kernel.getLoc());
  /// The sizes of a tensor, those that become symbols among them.
  auto generalized = [&](Value tensor, SmallVector<OpFoldResult> sizes) {
    for (auto [dim, id] : llvm::enumerate(dimensions.of(tensor)))
      if (Value symbol = symbolOf.lookup(id))
        sizes[dim] = symbol;
    return sizes;
  };
  auto setSizes = [&](auto op, Value tensor) {
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    dispatchIndexOpFoldResults(generalized(tensor, op.getMixedSizes()), dynamic, fixed);
    op.getSizesMutable().assign(dynamic);
    op.setStaticSizes(fixed);
  };
  for (Operation &op : body.without_terminator()) {
    if (auto bind = dyn_cast<BindShapeOp>(op))
      setSizes(bind, bind.getOperand());
    else if (auto broadcast = dyn_cast<BroadcastOp>(op))
      setSizes(broadcast, broadcast.getResult());
  }
  builder.setInsertionPointToStart(&body);
  for (Value tensor : dimensions.tensors()) {
    auto type = cast<RankedTensorType>(tensor.getType());
    SmallVector<int64_t> shape(type.getShape());
    for (auto [dim, id] : llvm::enumerate(dimensions.of(tensor)))
      if (symbolOf.contains(id))
        shape[dim] = ShapedType::kDynamic;
    tensor.setType(type.clone(shape));
    auto argument = dyn_cast<BlockArgument>(tensor);
    if (!argument)
      continue;
    arguments[argument.getArgNumber()] = tensor.getType();
    if (type.hasStaticShape() && tensor.getType() != type) {
      SmallVector<Value> dynamic;
      SmallVector<int64_t> fixed;
      dispatchIndexOpFoldResults(generalized(tensor, getAsIndexOpFoldResult(builder.getContext(), type.getShape())),
                                 dynamic, fixed);
      BindShapeOp::create(builder, kernel.getLoc(), tensor, dynamic, fixed);
    }
  }
  kernel.setFunctionType(builder.getFunctionType(arguments, body.getTerminator()->getOperandTypes()));
}

/// Kernels that are one once all their candidates are symbols, of which they have equally many besides.
struct Family {
  struct Member {
    KernelOp kernel;
    SmallVector<Candidate> candidates;
  };
  SmallVector<Member> members;
};

struct GeneralizeSizesPass : tile::impl::GeneralizeSizesPassBase<GeneralizeSizesPass> {
  explicit GeneralizeSizesPass(FusionPricesResolver resolver) : resolver(std::move(resolver)) {}
  GeneralizeSizesPass(const GeneralizeSizesPass &other) : GeneralizeSizesPassBase(other), resolver(other.resolver) {}

  void runOnChecked() override {
    FailureOr<FusionPrices> prices = resolve(getOperation(), resolver, target);
    if (failed(prices))
      return signalPassFailure();
    llvm::MapVector<StringAttr, Family> families;
    for (auto kernel : getOperation().getOps<KernelOp>()) {
      SmallVector<Candidate> candidates = candidatesOf(kernel, *prices);
      if (candidates.empty())
        continue;
      OwningOpRef<KernelOp> general = kernel.clone();
      generalize(*general, candidates);
      // A symbol of one may be a candidate of another.
      std::string key = std::to_string(kernel.getNumSymbols()) + contentOf(*general);
      families[StringAttr::get(&getContext(), key)].members.push_back({kernel, candidates});
    }
    launches.clear();
    getOperation().walk([&](host::LaunchOp launch) { launches[launch.getKernelAttr().getAttr()].push_back(launch); });
    SymbolTable symbols(getOperation());
    for (auto &[text, family] : families)
      if (family.members.size() > 1)
        merge(family, symbols);
  }

private:
  /// Makes one kernel of a family; only sizes in which its members differ become symbols.
  void merge(Family &family, SymbolTable &symbols) {
    Family::Member &first = family.members.front();
    SmallVector<unsigned> different;
    for (unsigned i = 0; i < first.candidates.size(); ++i)
      if (llvm::any_of(family.members,
                       [&](Family::Member &member) { return member.candidates[i].size != first.candidates[i].size; }))
        different.push_back(i);
    generalize(first.kernel, llvm::map_to_vector(different, [&](unsigned i) { return first.candidates[i]; }));
    SmallVector<SmallVector<host::LaunchOp>> launchesOf = llvm::map_to_vector(
        family.members, [&](Family::Member &member) { return launches.lookup(member.kernel.getSymNameAttr()); });
    // Its content is another one now.
    symbols.remove(first.kernel);
    first.kernel.setSymName(nameOf(first.kernel, contentOf(first.kernel)));
    symbols.insert(first.kernel);
    for (auto [member, launched] : llvm::zip(family.members, launchesOf)) {
      for (host::LaunchOp launch : launched)
        relaunch(launch, first.kernel,
                 llvm::map_to_vector(different, [&](unsigned i) { return member.candidates[i].size; }));
      if (member.kernel != first.kernel)
        symbols.erase(member.kernel);
    }
  }

  /// Launches the kernel with more symbols.
  void relaunch(host::LaunchOp launch, KernelOp kernel, ArrayRef<int64_t> sizes) {
    OpBuilder builder(launch);
    for (int64_t size : sizes)
      launch.getSymbolsMutable().append(arith::ConstantIndexOp::create(builder, launch.getLoc(), size).getResult());
    launch.setKernelAttr(FlatSymbolRefAttr::get(kernel.getSymNameAttr()));
  }

  FusionPricesResolver resolver;
  DenseMap<StringAttr, SmallVector<host::LaunchOp>> launches;
};
} // namespace

std::unique_ptr<Pass> tile::createGeneralizeSizesPass(FusionPricesResolver resolver) {
  return std::make_unique<GeneralizeSizesPass>(std::move(resolver));
}
