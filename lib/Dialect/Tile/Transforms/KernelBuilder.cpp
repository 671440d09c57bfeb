//===- KernelBuilder.cpp - A kernel and its launch from a group of ops ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelBuilder.h"
#include "CollapseDims.h"
#include "tenon/Dialect/Host/IR/HostOps.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tile/Analysis/KernelNames.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/Utils/Utils.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/IR/IRMapping.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::tile;

FlatSymbolRefAttr KernelTable::unique(KernelOp kernel) {
  std::string content = contentOf(kernel);
  auto [it, inserted] = names.try_emplace(content);
  if (inserted) {
    kernel.setSymName(nameOf(kernel, content));
    it->second = symbols.insert(kernel);
  } else {
    kernel.erase();
  }
  return FlatSymbolRefAttr::get(it->second);
}

LogicalResult KernelBuilder::build(ArrayRef<Operation *> ops, const KernelStrategy &strategy) {
  OpGroup group(ops, sizes);
  FailureOr<Signature> signature = signatureOf(group, strategy);
  if (failed(signature))
    return failure();
  if (signature->results.empty())
    return success();
  return launch(group, *signature, outline(group, *signature));
}

//===----------------------------------------------------------------------===//
// What it takes and gives
//===----------------------------------------------------------------------===//

/// Cloned into every kernel that uses it.
static bool isRematerialised(Operation *op) {
  auto constant = dyn_cast<ConstantOp>(op);
  return constant && (isa<SplatElementsAttr>(constant.getValue()) ||
                      cast<ShapedType>(constant.getValue().getType()).getNumElements() == 1);
}

void KernelBuilder::addSymbols(Signature &signature, Value tensor) {
  for (AffineExpr size : sizes.sizesOf(tensor))
    if (!isa<AffineConstantExpr>(size))
      signature.symbols.insert({size, Value()});
}

FailureOr<KernelBuilder::Signature> KernelBuilder::signatureOf(const OpGroup &group, const KernelStrategy &strategy) {
  Signature signature;
  // Register tiles read memory: what they read is an operand even where it could be made in the kernel.
  DenseSet<Value> read;
  for (Operation *op : group.ops())
    if (roleOf(op) == Role::contraction)
      read.insert(op->operand_begin(), op->operand_end());
  auto take = [&](Value tensor) {
    if (signature.tensors.insert(tensor))
      addSymbols(signature, tensor);
  };
  for (Operation *op : group.ops()) {
    auto contract = dyn_cast<ContractOp>(op);
    std::optional<ConstantExpression> columns = contract ? columnsExpression(contract) : std::nullopt;
    for (Value operand : op->getOperands()) {
      Operation *source = operand.getDefiningOp();
      if (source && group.contains(source))
        continue;
      if (columns && operand == contract.getRhs()) {
        llvm::copy_if(columns->getOps(), std::back_inserter(signature.body),
                      [&](Operation *part) { return !llvm::is_contained(signature.body, part); });
        for (const ConstantExpression::Leaf &leaf : columns->getLeaves())
          leaf.value ? take(leaf.value) : void();
        continue;
      }
      bool isForm = source && roleOf(source) == Role::form;
      if (isForm || (source && isRematerialised(source) && !read.contains(operand))) {
        if (!llvm::is_contained(signature.body, source))
          signature.body.push_back(source);
        if (isForm)
          take(source->getOperand(0));
      } else if (isa<RankedTensorType>(operand.getType())) {
        take(operand);
      } else if (AffineExpr size = sizes.expressionOf(operand); !isa<AffineConstantExpr>(size)) {
        signature.symbols.insert({size, Value()});
      }
    }
  }
  llvm::append_range(signature.body, group.ops());
  for (Value operand : strategy.formedOperandsOf(group))
    if (operand.getDefiningOp<ConstantOp>() && cast<RankedTensorType>(operand.getType()).hasStaticShape())
      signature.constants.insert(operand);
  for (Operation *op : group.ops())
    for (Value result : op->getResults()) {
      if (llvm::all_of(result.getUsers(), [&](Operation *user) { return group.contains(user); }))
        continue;
      Type element = getElementTypeOrSelf(result);
      bool isFlat = cast<RankedTensorType>(result.getType()).getRank() == 1 && group.ops().size() == 1;
      if (StorageFormat(element).sharesBytes() && !isFlat)
        return op->emitError() << "gives elements of " << element
                               << ", which share bytes: kernels read such, but don't write them";
      signature.results.push_back(result);
    }
  if (!signature.results.empty())
    for (AffineExpr size : strategy.structureOf(group).space)
      if (!isa<AffineConstantExpr>(size))
        signature.symbols.insert({size, Value()});
  return signature;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

KernelBuilder::Outlined KernelBuilder::outline(const OpGroup &group, Signature &signature) {
  // Its place is that of the first node that it came from, for errors; launches know all of them.
  Location loc = builder.getFusedLoc(llvm::map_to_vector(group.ops(), [](Operation *op) { return op->getLoc(); }));
  auto &symbols = signature.symbols;
  SmallVector<Type> argumentTypes(symbols.size(), builder.getIndexType());
  llvm::append_range(argumentTypes, llvm::map_range(signature.tensors, [](Value value) { return value.getType(); }));
  auto type = builder.getFunctionType(argumentTypes, ValueRange(signature.results).getTypes());
  builder.setInsertionPoint(func);
  auto kernel = KernelOp::create(builder, loc, "kernel", type, StringAttr(), ArrayAttr(), ArrayAttr());
  SmallVector<Location> argumentLocs(symbols.size(), builder.getUnknownLoc());
  llvm::append_range(argumentLocs, llvm::map_range(signature.tensors, [](Value value) { return value.getLoc(); }));
  Block *block = builder.createBlock(&kernel.getBody(), {}, argumentTypes, argumentLocs);
  for (auto [i, entry] : llvm::enumerate(symbols))
    entry.second = block->getArgument(i);
  for (auto [i, tensor] : llvm::enumerate(signature.tensors))
    if (signature.constants.contains(tensor))
      kernel.setArgAttr(symbols.size() + i, kConstantAttr, builder.getUnitAttr());
  buildBody(kernel, signature);
  Outlined result{kernel, collapseDims(kernel, stateContracts(kernel, signature)), overwrittenBy(group, signature)};
  size_t operands = signature.tensors.size();
  if (result.overwritten && result.collapse && (*result.collapse)[*result.overwritten] != (*result.collapse)[operands])
    result.overwritten.reset();
  if (result.overwritten)
    kernel.walk([&](ScatterOp scatter) { scatter->setAttr(kInPlaceAttr, builder.getUnitAttr()); });
  return result;
}

void KernelBuilder::buildBody(KernelOp kernel, Signature &signature) {
  Location loc = kernel.getLoc();
  auto inKernel = [&](AffineExpr size) -> OpFoldResult {
    if (auto constant = dyn_cast<AffineConstantExpr>(size))
      return builder.getIndexAttr(constant.getValue());
    return signature.symbols.find(size)->second;
  };
  Block &block = kernel.getBody().front();
  builder.setInsertionPointToStart(&block);
  IRMapping mapping;
  for (auto [i, tensor] : llvm::enumerate(signature.tensors)) {
    Value argument = block.getArgument(signature.symbols.size() + i);
    mapping.map(tensor, argument);
    if (cast<RankedTensorType>(tensor.getType()).hasStaticShape())
      continue;
    Sizes extents(llvm::map_to_vector(sizes.sizesOf(tensor), inKernel));
    BindShapeOp::create(builder, loc, argument, extents.dynamic, extents.fixed);
  }
  for (Operation *op : signature.body) {
    for (Value operand : op->getOperands())
      if (!isa<RankedTensorType>(operand.getType()) && !mapping.contains(operand))
        mapping.map(operand, getValueOrCreateConstantIndexOp(builder, loc, inKernel(sizes.expressionOf(operand))));
    builder.clone(*op, mapping);
  }
  tile::YieldOp::create(builder, loc,
                        llvm::map_to_vector(signature.results, [&](Value value) { return mapping.lookup(value); }));
}

/// Says which operands and results have rows apart from each other; gives where dimensions of each don't run together.
SmallVector<SmallVector<bool>> KernelBuilder::stateContracts(KernelOp kernel, const Signature &signature) {
  SmallVector<SmallVector<bool>> breaks;
  auto inner = builder.getStringAttr(host::kInnerContract);
  ArrayRef<Value> tensors = signature.tensors.getArrayRef();
  for (auto [i, tensor] : llvm::enumerate(llvm::concat<const Value>(tensors, signature.results))) {
    std::optional<host::Layout> layout = layouts.layoutOf(tensor);
    breaks.push_back(layout ? layout->breaks : SmallVector<bool>());
    if (!llvm::is_contained(breaks.back(), true))
      continue;
    if (i < tensors.size())
      kernel.setArgAttr(kernel.getNumSymbols() + i, host::kContractAttr, inner);
    else
      kernel.setResultAttr(i - tensors.size(), host::kContractAttr, inner);
  }
  return breaks;
}

/// The operand of a scatter that has a buffer of its own, which nothing else reads: its result takes that over.
std::optional<size_t> KernelBuilder::overwrittenBy(const OpGroup &group, const Signature &signature) {
  auto scatter = dyn_cast<ScatterOp>(group.ops().front());
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
  return llvm::find(signature.tensors, operand) - signature.tensors.begin();
}

//===----------------------------------------------------------------------===//
// The launch
//===----------------------------------------------------------------------===//

static SmallVector<AffineExpr> products(ArrayRef<AffineExpr> extents, ArrayRef<ReassociationIndices> groups) {
  return llvm::map_to_vector(groups, [&](const ReassociationIndices &group) {
    AffineExpr product = extents[group.front()];
    for (int64_t dim : llvm::drop_begin(group))
      product = product * extents[dim];
    return product;
  });
}

/// The tensor with groups of its dimensions as one.
Value KernelBuilder::reshaped(Value tensor, const Groups &groups, Location loc) {
  auto type = cast<RankedTensorType>(tensor.getType());
  if ((int64_t)groups.size() == type.getRank())
    return tensor;
  Sizes extents(sizes.materialize(builder, loc, products(sizes.sizesOf(tensor), groups)));
  return ReshapeOp::create(builder, loc, type.clone(extents.fixed), tensor, extents.dynamic, extents.fixed);
}

LogicalResult KernelBuilder::launch(const OpGroup &group, const Signature &signature, Outlined outlined) {
  Operation *last = group.ops().back();
  if (!workOf(outlined.kernel))
    return last->emitError() << "'" << last->getName() << "' has sizes that don't follow from those of its operands";
  Location loc = outlined.kernel.getLoc();
  FlatSymbolRefAttr symbol = table.unique(outlined.kernel);
  builder.setInsertionPoint(last);
  SmallVector<Value> symbols, outs, tensors(signature.tensors.begin(), signature.tensors.end());
  for (auto &[size, argument] : signature.symbols)
    symbols.push_back(getValueOrCreateConstantIndexOp(builder, loc, sizes.materialize(builder, loc, size)));
  if (outlined.collapse)
    for (auto [tensor, groups] : llvm::zip(tensors, *outlined.collapse))
      tensor = reshaped(tensor, groups, loc);
  for (auto [i, result] : llvm::enumerate(signature.results)) {
    if (outlined.overwritten) {
      outs.push_back(tensors[*outlined.overwritten]);
      continue;
    }
    SmallVector<AffineExpr> extents = sizes.sizesOf(result);
    if (outlined.collapse)
      extents = products(extents, (*outlined.collapse)[tensors.size() + i]);
    Sizes given(sizes.materialize(builder, loc, ArrayRef(extents)));
    outs.push_back(tensor::EmptyOp::create(builder, loc, given.fixed, getElementTypeOrSelf(result), given.dynamic));
  }
  auto launch = host::LaunchOp::create(builder, loc, ValueRange(outs).getTypes(), symbol, symbols, tensors, outs);
  for (auto [result, launched] : llvm::zip(signature.results, launch.getResults())) {
    Value value = launched;
    if (value.getType() != result.getType()) {
      Sizes extents(sizes.materialize(builder, loc, ArrayRef(sizes.sizesOf(result))));
      value = ReshapeOp::create(builder, loc, result.getType(), launched, extents.dynamic, extents.fixed);
    }
    sizes.replace(result, value);
    Value(result).replaceUsesWithIf(value, [&](OpOperand &use) { return !group.contains(use.getOwner()); });
  }
  return success();
}
