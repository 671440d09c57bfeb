//===- FormKernels.cpp - Partition the graph into kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CollapseDims.h"
#include "tenon/Dialect/Host/Analysis/Layouts.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tile/Analysis/KernelNames.h"
#include "tenon/Dialect/Tile/Analysis/KernelStrategy.h"
#include "tenon/Dialect/Tile/Transforms/Passes.h"

#include "mlir/Analysis/TopologicalSortUtils.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

namespace tenon::tile {
#define GEN_PASS_DEF_FORMKERNELSPASS
#include "tenon/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace tenon::tile

namespace {
/// Cloned into every kernel that uses it.
bool isRematerialised(Operation *op) {
  if (auto constant = dyn_cast_if_present<ConstantOp>(op))
    return isa<SplatElementsAttr>(constant.getValue()) ||
           cast<ShapedType>(constant.getValue().getType()).getNumElements() == 1;
  return false;
}

/// The ops of one kernel, in order.
struct Group {
  SmallVector<Operation *> ops;
};

class KernelFormation {
public:
  KernelFormation(func::FuncOp func, const KernelStrategies &strategies, llvm::StringMap<StringAttr> &kernels,
                  SymbolTable &kernelTable)
      : func(func), strategies(strategies), sizes(func.getContext()), layouts(sizes), builder(func.getContext()),
        kernels(kernels), kernelTable(kernelTable) {}

  LogicalResult run() {
    unsigned count = 0;
    func.walk<WalkOrder::PreOrder>([&](Block *block) { splitCheapBroadcasts(*block); });
    func.walk<WalkOrder::PreOrder>([&](Operation *op) { positions[op] = count++; });
    return runOn(func.getBody().front());
  }

private:
  /// Forms the kernels of a block, and of the blocks in it.
  LogicalResult runOn(Block &block) {
    SmallVector<Group *> groups;
    for (Operation &op : block) {
      if (op.hasTrait<OpTrait::IsTerminator>() || isPlacement(&op))
        continue;
      if (isa<IfOp, LoopOp>(op)) {
        for (Region &region : op.getRegions())
          if (failed(runOn(region.front())))
            return failure();
        continue;
      }
      if (isa<HostCallInterface>(op))
        return op.emitError() << "'" << op.getName() << "' is no kernel's: tenon-form-host-calls makes a call of it";
      auto isOfKernels = [](Type type) {
        auto tensor = dyn_cast<RankedTensorType>(type);
        return tensor && tensor.getElementType().isIntOrFloat();
      };
      if (!llvm::all_of(op.getResultTypes(), isOfKernels) ||
          !llvm::all_of(op.getOperandTypes(), [&](Type type) { return type.isIndex() || isOfKernels(type); }))
        return op.emitError() << "'" << op.getName() << "' can't be compiled yet";
      join(&op);
    }
    DenseSet<Group *> done;
    for (Operation &op : block)
      if (Group *group = groupOf.lookup(&op); group && done.insert(group).second)
        groups.push_back(group);
    for (Group *group : groups)
      if (failed(outline(*group)))
        return failure();
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
      if (isOpTriviallyDead(&op))
        op.erase();
    if (!sortTopologically(&block))
      return func.emitError() << "has kernels that need each other's results";
    return success();
  }

  /// A broadcast that several ops read is repeated, so that each can take it along.
  void splitCheapBroadcasts(Block &body) {
    for (Operation &op : llvm::make_early_inc_range(body)) {
      if (!isa<BroadcastOp, IotaOp>(op) || op.use_empty())
        continue;
      for (OpOperand &use : llvm::make_early_inc_range(llvm::drop_begin(op.getUses()))) {
        builder.setInsertionPoint(use.getOwner());
        use.set(builder.clone(op)->getResult(0));
      }
    }
  }

  //===--------------------------------------------------------------------===//
  // Grouping
  //===--------------------------------------------------------------------===//

  void join(Operation *op) {
    owned.push_back(std::make_unique<Group>());
    Group *group = owned.back().get();
    group->ops.push_back(op);
    groupOf[op] = group;
    for (Value operand : op->getOperands())
      if (Operation *producer = operand.getDefiningOp(); producer && producer->getBlock() == op->getBlock())
        if (Group *other = groupOf.lookup(producer); other && other != groupOf[op] && canMerge(*other, *groupOf[op]))
          merge(*other, *groupOf[op]);
  }

  void merge(Group &from, Group &into) {
    for (Operation *op : from.ops)
      groupOf[op] = &into;
    into.ops.append(from.ops);
    llvm::sort(into.ops, [&](Operation *a, Operation *b) { return positions[a] < positions[b]; });
  }

  bool canMerge(Group &a, Group &b) {
    SmallVector<Operation *> ops(a.ops);
    ops.append(b.ops);
    llvm::sort(ops, [&](Operation *x, Operation *y) { return positions[x] < positions[y]; });
    return ops.size() <= maxOps && isKernel(ops) && !makesCycle(a, b);
  }

  /// Whether the ops, in order, are what one kernel can compute without computing anything expensive twice.
  bool isKernel(ArrayRef<Operation *> ops) {
    OpGroup group(ops, sizes);
    const KernelStrategy *strategy = strategies.find(group);
    return strategy && strategy->accepts(group, nullptr);
  }

  /// Whether one launch of both would need a launch that needs it: a path that leaves the two and comes back.
  bool makesCycle(Group &a, Group &b) {
    unsigned first = std::min(positions[a.ops.front()], positions[b.ops.front()]);
    auto inside = [&](Operation *op) {
      Group *group = groupOf.lookup(op);
      return group == &a || group == &b;
    };
    DenseSet<Operation *> seen;
    SmallVector<Operation *> work;
    // What is launched before both needs neither. An op is launched with the last one of its kernel.
    auto need = [&](Operation *source) {
      Group *group = groupOf.lookup(source);
      if (positions.lookup(group ? group->ops.back() : source) >= first && seen.insert(source).second)
        work.push_back(source);
    };
    // What an op needs, and what the ops in its regions do.
    auto push = [&](Operation *op) {
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (Operation *source = operand.getDefiningOp(); source && !op->isProperAncestor(source))
            need(source);
      });
    };
    for (Operation *op : llvm::concat<Operation *>(a.ops, b.ops))
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp(); source && !inside(source))
          need(source);
    while (!work.empty()) {
      Operation *op = work.pop_back_val();
      if (inside(op))
        return true;
      if (Group *group = groupOf.lookup(op))
        for (Operation *member : group->ops)
          push(member);
      else
        push(op);
    }
    return false;
  }

  //===--------------------------------------------------------------------===//
  // Outlining
  //===--------------------------------------------------------------------===//

  struct Outlined {
    SmallVector<Value> tensors, results;
    llvm::MapVector<AffineExpr, Value> symbols; ///< to the kernel's argument
  };

  LogicalResult outline(Group &group) {
    Outlined info;
    DenseSet<Operation *> members(group.ops.begin(), group.ops.end());
    llvm::SetVector<Value> tensors;
    llvm::MapVector<AffineExpr, Value> symbols;
    auto addSymbols = [&](Value value) {
      for (AffineExpr size : sizes.sizesOf(value))
        if (!isa<AffineConstantExpr>(size))
          symbols.insert({size, Value()});
    };
    SmallVector<Operation *> inner;
    // Register tiles read memory: what they read is an operand even where it could be made in the kernel.
    DenseSet<Value> read;
    for (Operation *op : group.ops)
      if (roleOf(op) == Role::contraction)
        read.insert(op->operand_begin(), op->operand_end());
    for (Operation *op : group.ops)
      for (Value operand : op->getOperands()) {
        Operation *source = operand.getDefiningOp();
        if (source && members.contains(source))
          continue;
        if (source && ((isRematerialised(source) && !read.contains(operand)) || roleOf(source) == Role::form)) {
          if (!llvm::is_contained(inner, source))
            inner.push_back(source);
          if (roleOf(source) == Role::form)
            if (tensors.insert(source->getOperand(0)))
              addSymbols(source->getOperand(0));
        } else if (isa<RankedTensorType>(operand.getType())) {
          if (tensors.insert(operand))
            addSymbols(operand);
        } else if (AffineExpr size = sizes.expressionOf(operand); !isa<AffineConstantExpr>(size)) {
          symbols.insert({size, Value()});
        }
      }
    for (Operation *op : group.ops)
      for (Value result : op->getResults()) {
        if (llvm::all_of(result.getUsers(), [&](Operation *user) { return members.contains(user); }))
          continue;
        Type element = getElementTypeOrSelf(result);
        if (element.getIntOrFloatBitWidth() < 8 && !element.isInteger(1))
          return op->emitError() << "gives elements of " << element
                                 << ", which share bytes: kernels read such, but don't write them";
        info.results.push_back(result);
      }
    if (info.results.empty())
      return success();
    SmallVector<Operation *> bodyOps(inner);
    bodyOps.append(group.ops);
    OpGroup outlined(group.ops, sizes);
    const KernelStrategy *strategy = strategies.find(outlined);
    if (!strategy)
      return group.ops.back()->emitError() << "'" << group.ops.back()->getName() << "' suits no strategy that is registered";
    KernelStructure structure = strategy->structureOf(outlined);
    for (AffineExpr size : structure.space)
      if (!isa<AffineConstantExpr>(size))
        symbols.insert({size, Value()});

    // The kernel. Its place is that of the first node that it came from, for errors; launches know all of them.
    Location loc = builder.getFusedLoc(llvm::map_to_vector(group.ops, [](Operation *op) { return op->getLoc(); }));
    SmallVector<Type> argumentTypes(symbols.size(), builder.getIndexType());
    llvm::append_range(argumentTypes, llvm::map_range(tensors, [](Value value) { return value.getType(); }));
    auto type = builder.getFunctionType(argumentTypes, ValueRange(info.results).getTypes());
    auto trivialWork = AffineMap::get(0, symbols.size(), builder.getAffineConstantExpr(1));
    builder.setInsertionPoint(func);
    auto kernel = KernelOp::create(builder, loc, "kernel", type, StringAttr(), ArrayAttr(),
                                   ArrayAttr(), trivialWork);
    SmallVector<Location> argumentLocs(symbols.size(), builder.getUnknownLoc());
    llvm::append_range(argumentLocs, llvm::map_range(tensors, [](Value value) { return value.getLoc(); }));
    Block *block = builder.createBlock(&kernel.getBody(), {}, argumentTypes, argumentLocs);
    builder.setInsertionPointToStart(block);
    for (auto [i, entry] : llvm::enumerate(symbols))
      entry.second = block->getArgument(i);
    auto inKernel = [&](AffineExpr size) -> OpFoldResult {
      if (auto constant = dyn_cast<AffineConstantExpr>(size))
        return builder.getIndexAttr(constant.getValue());
      return symbols.find(size)->second;
    };
    IRMapping mapping;
    for (auto [i, tensor] : llvm::enumerate(tensors)) {
      Value argument = block->getArgument(symbols.size() + i);
      mapping.map(tensor, argument);
      if (cast<RankedTensorType>(tensor.getType()).hasStaticShape())
        continue;
      SmallVector<Value> dynamic;
      SmallVector<int64_t> fixed;
      SmallVector<OpFoldResult> extents = llvm::map_to_vector(sizes.sizesOf(tensor), inKernel);
      dispatchIndexOpFoldResults(extents, dynamic, fixed);
      BindShapeOp::create(builder, loc, argument, dynamic, fixed);
    }
    for (Operation *op : bodyOps) {
      for (Value operand : op->getOperands())
        if (!isa<RankedTensorType>(operand.getType()) && !mapping.contains(operand))
          mapping.map(operand, getValueOrCreateConstantIndexOp(builder, loc,
                                                               inKernel(sizes.expressionOf(operand))));
      builder.clone(*op, mapping);
    }
    tile::YieldOp::create(builder, loc,
                    llvm::map_to_vector(info.results, [&](Value value) { return mapping.lookup(value); }));
    info.tensors.assign(tensors.begin(), tensors.end());
    auto collapse = collapseDims(kernel, stateContracts(kernel, info));
    std::optional<size_t> overwritten = overwrittenBy(group, info);
    if (overwritten && collapse && (*collapse)[*overwritten] != (*collapse)[info.tensors.size()])
      overwritten.reset();
    if (overwritten)
      kernel.walk([&](ScatterOp scatter) { scatter->setAttr(kInPlaceAttr, builder.getUnitAttr()); });
    AffineMap workMap = workOf(kernel);
    if (!workMap)
      return group.ops.back()->emitError()
             << "'" << group.ops.back()->getName() << "' has sizes that don't follow from those of its operands";
    AffineMap scratchMap = scratchOf(kernel);
    kernel.setWork(workMap);
    FlatSymbolRefAttr symbol = unique(kernel);

    // The launch.
    builder.setInsertionPoint(group.ops.back());
    SmallVector<Value> symbolValues, outs;
    for (auto &[size, argument] : symbols)
      symbolValues.push_back(
          getValueOrCreateConstantIndexOp(builder, loc, sizes.materialize(builder, loc, size)));
    if (collapse)
      for (auto [tensor, groups] : llvm::zip(info.tensors, *collapse))
        tensor = reshaped(tensor, groups, loc);
    for (auto [i, result] : llvm::enumerate(info.results)) {
      if (overwritten) {
        outs.push_back(info.tensors[*overwritten]);
        continue;
      }
      auto resultType = cast<RankedTensorType>(result.getType());
      SmallVector<AffineExpr> extents = sizes.sizesOf(result);
      if (collapse)
        extents = products(extents, (*collapse)[info.tensors.size() + i]);
      SmallVector<Value> dynamic;
      SmallVector<int64_t> fixed;
      dispatchIndexOpFoldResults(sizes.materialize(builder, loc, ArrayRef(extents)), dynamic, fixed);
      outs.push_back(tensor::EmptyOp::create(builder, loc, fixed, resultType.getElementType(), dynamic));
    }
    Value units = getValueOrCreateConstantIndexOp(
        builder, loc,
        affine::makeComposedFoldedAffineApply(builder, loc, workMap, getAsOpFoldResult(symbolValues)));
    Value scratch = scratchMap ? scratchBytes(builder, loc, scratchMap, symbolValues) : Value();
    auto launch = host::LaunchOp::create(builder, loc, ValueRange(outs).getTypes(), symbol, units, symbolValues,
                                         info.tensors, outs, scratch);
    for (auto [result, launched] : llvm::zip(info.results, launch.getResults())) {
      Value value = launched;
      if (value.getType() != result.getType()) {
        SmallVector<Value> dynamic;
        SmallVector<int64_t> fixed;
        dispatchIndexOpFoldResults(sizes.materialize(builder, loc, ArrayRef(sizes.sizesOf(result))), dynamic, fixed);
        value = ReshapeOp::create(builder, loc, result.getType(), launched, dynamic, fixed);
      }
      sizes.replace(result, value);
      result.replaceUsesWithIf(value, [&](OpOperand &use) { return !members.contains(use.getOwner()); });
    }
    return success();
  }

  /// The operand of a scatter that has a buffer of its own, which nothing else reads: its result takes that
  /// over.
  std::optional<size_t> overwrittenBy(Group &group, const Outlined &info) {
    auto scatter = dyn_cast<ScatterOp>(group.ops.front());
    if (!scatter || layouts.rootOf(scatter.getResult()) != scatter.getResult())
      return std::nullopt;
    auto isRead = [](Operation *user) { return !isa<BindShapeOp, host::BindStridesOp>(user); };
    Value operand = scatter.getOperand(), root = operand;
    while (llvm::count_if(root.getUsers(), isRead) == 1 && root.getDefiningOp<ReshapeOp>())
      root = root.getDefiningOp()->getOperand(0);
    Operation *source = root.getDefiningOp();
    if (llvm::count_if(root.getUsers(), isRead) != 1 || !isa_and_present<host::LaunchOp, ConcatOp>(source) ||
        source->getBlock() != scatter->getBlock() || layouts.rootOf(root) != root)
      return std::nullopt;
    return llvm::find(info.tensors, operand) - info.tensors.begin();
  }

  /// Says which operands and results have rows apart from each other; gives where dimensions of each don't run together.
  SmallVector<SmallVector<bool>> stateContracts(KernelOp kernel, const Outlined &info) {
    SmallVector<SmallVector<bool>> breaks;
    auto inner = builder.getStringAttr(host::kInnerContract);
    for (auto [i, tensor] : llvm::enumerate(llvm::concat<const Value>(info.tensors, info.results))) {
      std::optional<host::Layout> layout = layouts.layoutOf(tensor);
      breaks.push_back(layout ? layout->breaks : SmallVector<bool>());
      if (!llvm::is_contained(breaks.back(), true))
        continue;
      if (i < info.tensors.size())
        kernel.setArgAttr(kernel.getNumSymbols() + i, host::kContractAttr, inner);
      else
        kernel.setResultAttr(i - info.tensors.size(), host::kContractAttr, inner);
    }
    return breaks;
  }

  static SmallVector<AffineExpr> products(ArrayRef<AffineExpr> extents, ArrayRef<ReassociationIndices> groups) {
    return llvm::map_to_vector(groups, [&](const ReassociationIndices &group) {
      AffineExpr product = extents[group.front()];
      for (int64_t dim : llvm::drop_begin(group))
        product = product * extents[dim];
      return product;
    });
  }

  /// The tensor with groups of its dimensions as one.
  Value reshaped(Value tensor, ArrayRef<ReassociationIndices> groups, Location loc) {
    auto type = cast<RankedTensorType>(tensor.getType());
    if ((int64_t)groups.size() == type.getRank())
      return tensor;
    SmallVector<Value> dynamic;
    SmallVector<int64_t> fixed;
    SmallVector<AffineExpr> extents = products(sizes.sizesOf(tensor), groups);
    dispatchIndexOpFoldResults(sizes.materialize(builder, loc, ArrayRef(extents)), dynamic, fixed);
    return ReshapeOp::create(builder, loc, type.clone(fixed), tensor, dynamic, fixed);
  }

  /// The kernel's name; an equal one that exists already takes its place.
  FlatSymbolRefAttr unique(KernelOp kernel) {
    std::string content = contentOf(kernel);
    auto [it, inserted] = kernels.try_emplace(content);
    if (inserted) {
      kernel.setSymName(nameOf(kernel, content));
      it->second = kernelTable.insert(kernel);
    } else {
      kernel.erase();
    }
    return FlatSymbolRefAttr::get(it->second);
  }

  static constexpr size_t maxOps = 64;

  func::FuncOp func;
  const KernelStrategies &strategies;
  SizeAnalysis sizes;
  host::Layouts layouts;
  OpBuilder builder;
  llvm::StringMap<StringAttr> &kernels; ///< by content
  SymbolTable &kernelTable;
  DenseMap<Operation *, unsigned> positions;
  DenseMap<Operation *, Group *> groupOf;
  std::vector<std::unique_ptr<Group>> owned;
};

struct FormKernelsPass : tile::impl::FormKernelsPassBase<FormKernelsPass> {
  void runOnChecked() override {
    const KernelStrategies *strategies = KernelStrategies::of(&getContext());
    if (!strategies) {
      getOperation().emitError("kernels can't be formed: no strategies are registered");
      return signalPassFailure();
    }
    llvm::StringMap<StringAttr> kernels;
    SymbolTable kernelTable(getOperation());
    SmallVector<func::FuncOp> funcs(getOperation().getOps<func::FuncOp>());
    for (func::FuncOp func : funcs)
      if (!func.isExternal() && !func->hasAttr(kKernelAttr) && 
          failed(KernelFormation(func, *strategies, kernels, kernelTable).run()))
        return signalPassFailure();
  }
};
} // namespace
