//===- FoldConstants.cpp - Computes what depends on constants only ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "tenon/Dialect/Tenon/IR/ConstantElements.h"
#include "tenon/Dialect/Tenon/IR/ConstantExpression.h"
#include "tenon/Dialect/Tenon/IR/ConstantFile.h"
#include "tenon/Dialect/Tenon/IR/StorageFormat.h"
#include "tenon/Dialect/Tenon/IR/TenonOps.h"
#include "tenon/Dialect/Tenon/Transforms/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/IR/Remarks.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include <cstring>

using namespace mlir;
using namespace tenon;

namespace tenon {
#define GEN_PASS_DEF_FOLDCONSTANTSPASS
#include "tenon/Dialect/Tenon/Transforms/Passes.h.inc"
} // namespace tenon

// Up to here a constant is printed with the IR.
static constexpr int64_t inlineBytes = 1024;

/// The bytes of a tensor as a blob; nothing where they can't be told or are too many.
static std::optional<int64_t> bytesOf(Type type) {
  auto ranked = dyn_cast<RankedTensorType>(type);
  if (!ranked)
    return type.isIndex() ? std::optional<int64_t>(8) : std::nullopt;
  if (!ranked.hasStaticShape() || !ranked.getElementType().isIntOrFloat())
    return std::nullopt;
  int64_t bits = ranked.getElementType().getIntOrFloatBitWidth(), count = bits == 1 ? 8 : bits;
  for (int64_t size : ranked.getShape())
    if (__builtin_mul_overflow(count, size, &count))
      return std::nullopt;
  return llvm::divideCeil(count, 8);
}

/// The bytes that a constant takes where it is stored.
static int64_t storedBytes(TypedAttr attribute) {
  if (auto dense = dyn_cast<DenseElementsAttr>(attribute); dense && dense.isSplat())
    return llvm::divideCeil(dense.getElementType().isIntOrFloat() ? dense.getElementType().getIntOrFloatBitWidth() : 8,
                            8);
  return bytesOf(attribute.getType()).value_or(0);
}

namespace {
class FoldConstantsPass : public tenon::impl::FoldConstantsPassBase<FoldConstantsPass> {
public:
  FoldConstantsPass() = default;
  FoldConstantsPass(Evaluator evaluator, bool foldsWeights) : evaluator(std::move(evaluator)) {
    foldWeights = foldsWeights;
  }
  FoldConstantsPass(const FoldConstantsPass &other) : FoldConstantsPassBase(other), evaluator(other.evaluator) {}

  void runOnOperation() override;

private:
  void visit(Operation *op);
  LogicalResult fold(Operation *op);
  void foldWeightsOfProducts();
  llvm::Expected<KnownValue> evaluate(Value value, DenseMap<Value, KnownValue> &computed);
  llvm::Error moveConstants();
  llvm::Expected<TypedAttr> toAttribute(const KnownValue &value);

  Evaluator evaluator;
  std::unique_ptr<ConstantFile> file;
  /// The file takes no more: said once.
  bool cannotKeep = false;
  /// Results that could be computed but are larger than the constants they come from, and the bytes of those.
  llvm::MapVector<Value, int64_t> deferred;
};
} // namespace

static TypedAttr constantOf(Value value) {
  Attribute attribute;
  return matchPattern(value, m_Constant(&attribute)) ? dyn_cast<TypedAttr>(attribute) : TypedAttr();
}

/// A reshaped constant is the same bytes under another type.
static TypedAttr reshaped(ReshapeOp op) {
  TypedAttr attribute = constantOf(op.getOperand());
  auto type = dyn_cast<RankedTensorType>(op.getType());
  if (!attribute || !type.hasStaticShape() ||
      cast<ShapedType>(attribute.getType()).getNumElements() != type.getNumElements())
    return {};
  return reshapedElements(attribute, type);
}

/// Whether all that is made of a value are operands of contractions, by arithmetic on elements and their movement.
static bool isMultiplied(Value value) {
  constexpr size_t mostOps = 32;
  llvm::SetVector<Value> made;
  made.insert(value);
  for (size_t i = 0; i < made.size(); ++i) {
    if (made[i].use_empty() || made.size() > mostOps)
      return false;
    for (Operation *user : made[i].getUsers()) {
      if (isa<ContractOp>(user))
        continue;
      if (!user->hasTrait<OpTrait::Elementwise>() && !isa<BroadcastOp, TransposeOp, ReshapeOp, SliceOp>(user))
        return false;
      made.insert(user->getResult(0));
    }
  }
  return true;
}

void FoldConstantsPass::visit(Operation *op) {
  if (!isa_and_nonnull<TenonDialect>(op->getDialect()) || isa<ConstantOp, SymbolOp>(op) || op->getNumRegions() != 0 ||
      op->getNumResults() == 0 || !isPure(op) || op->use_empty())
    return;
  if (auto reshape = dyn_cast<ReshapeOp>(op))
    if (TypedAttr attribute = reshaped(reshape)) {
      OpBuilder builder(op);
      reshape.replaceAllUsesWith(ConstantOp::create(builder, op->getLoc(), attribute.getType(), attribute).getResult());
      op->erase();
      return;
    }
  int64_t sources = 0, results = 0;
  // Weights that are stored narrow stay so, where contractions read them.
  bool isWidened = isa<CastOp>(op);
  for (Value operand : op->getOperands()) {
    auto found = deferred.find(operand);
    TypedAttr attribute = found == deferred.end() ? constantOf(operand) : TypedAttr();
    if (found == deferred.end() && !attribute)
      return;
    sources += attribute ? storedBytes(attribute) : found->second;
    isWidened |= !attribute;
  }
  for (Type type : op->getResultTypes()) {
    std::optional<int64_t> bytes = bytesOf(type);
    if (!bytes || *bytes > largest)
      return;
    results += *bytes;
  }
  bool isMuchLarger = results > std::max(2 * sources, inlineBytes) || isa<IotaOp>(op);
  // What a broadcast of one element or an iota repeats is no constant, however small.
  isMuchLarger |= isa<BroadcastOp>(op) && results > 2 * sources;
  isMuchLarger |= isWidened && results > std::max(sources, inlineBytes) && isMultiplied(op->getResult(0));
  if (!isMuchLarger && succeeded(fold(op)))
    return;
  for (Value result : op->getResults())
    deferred[result] = sources;
}

llvm::Expected<KnownValue> FoldConstantsPass::evaluate(Value value, DenseMap<Value, KnownValue> &computed) {
  if (TypedAttr attribute = constantOf(value)) {
    KnownValue known;
    known.attribute = attribute;
    return known;
  }
  if (auto found = computed.find(value); found != computed.end())
    return found->second;
  Operation *op = value.getDefiningOp();
  SmallVector<KnownValue> operands;
  for (Value operand : op->getOperands()) {
    llvm::Expected<KnownValue> known = evaluate(operand, computed);
    if (!known)
      return known;
    operands.push_back(std::move(*known));
  }
  llvm::Expected<SmallVector<KnownValue>> results = evaluator(op, operands);
  if (!results)
    return results.takeError();
  if (results->size() != op->getNumResults())
    return llvm::createStringError("the evaluator gives another number of results");
  // Only what is asked for again is kept: the others' memory is that of the next.
  if (results->size() == 1 && value.hasOneUse())
    return std::move(results->front());
  for (auto [result, known] : llvm::zip(op->getResults(), *results))
    computed[result] = std::move(known);
  return computed[value];
}

/// Whether all elements have the same bytes.
static bool isSplat(ArrayRef<char> bytes, size_t width) {
  return bytes.size() > width && std::memcmp(bytes.data(), bytes.data() + width, bytes.size() - width) == 0;
}

llvm::Expected<TypedAttr> FoldConstantsPass::toAttribute(const KnownValue &value) {
  if (value.attribute)
    return value.attribute;
  Type element = value.type.getElementType();
  StorageFormat format(element);
  unsigned bits = element.getIntOrFloatBitWidth();
  ArrayRef<char> bytes = value.bytes;
  if (bits == format.getBits() && !format.sharesBytes()) {
    if (isSplat(bytes, format.getBytes()))
      bytes = bytes.take_front(format.getBytes());
    if ((int64_t)bytes.size() <= inlineBytes)
      return DenseElementsAttr::getFromRawBuffer(value.type, bytes);
  } else if ((int64_t)bytes.size() <= inlineBytes) {
    // Booleans take a byte each, others are packed from the lowest bits.
    unsigned width = format.getBits();
    SmallVector<APInt> numbers;
    for (int64_t i = 0, e = value.type.getNumElements(); i < e; ++i) {
      APInt number(bits, 0);
      for (unsigned b = 0; b < bits; ++b) {
        uint64_t place = uint64_t(i) * width + b;
        number.setBitVal(b, (bytes[place / 8] >> (place % 8)) & 1);
      }
      numbers.push_back(number);
    }
    auto floating = dyn_cast<FloatType>(element);
    if (!floating)
      return DenseElementsAttr::get(value.type, numbers);
    SmallVector<APFloat> floats;
    for (const APInt &number : numbers)
      floats.emplace_back(floating.getFloatSemantics(), number);
    return DenseElementsAttr::get(value.type, floats);
  }
  if (!file)
    file = std::make_unique<ConstantFile>("", &getContext());
  llvm::Expected<uint64_t> offset = file->append(bytes);
  if (!offset)
    return offset.takeError();
  return tenon::BlobAttr::get(value.type, file->getPath(), *offset, bytes.size());
}

LogicalResult FoldConstantsPass::fold(Operation *op) {
  DenseMap<Value, KnownValue> computed;
  SmallVector<TypedAttr> attributes;
  auto give = [&](llvm::Error error) {
    remark::missed(op->getLoc(), remark::RemarkOpts::name("op-stays").category("tenon-fold-constants"))
        << remark::reason("{0}", llvm::toString(std::move(error)));
    return failure();
  };
  for (Value result : op->getResults()) {
    llvm::Expected<KnownValue> known = evaluate(result, computed);
    if (!known)
      return give(known.takeError());
    llvm::Expected<TypedAttr> attribute = toAttribute(*known);
    if (!attribute) {
      std::string reason = llvm::toString(attribute.takeError());
      if (!std::exchange(cannotKeep, true))
        emitError(op->getLoc()) << reason;
      signalPassFailure();
      return failure();
    }
    if (attribute->getType() != result.getType())
      return failure();
    attributes.push_back(*attribute);
  }
  OpBuilder builder(op);
  for (auto [result, attribute] : llvm::zip(op->getResults(), attributes)) {
    if (isa<RankedTensorType>(result.getType()))
      result.replaceAllUsesWith(ConstantOp::create(builder, op->getLoc(), result.getType(), attribute).getResult());
    else
      result.replaceAllUsesWith(arith::ConstantOp::create(builder, op->getLoc(), attribute).getResult());
  }
  op->erase();
  return success();
}

/// Contractions and convolutions read memory: weights that are stored in fewer bytes would be made in every run. Those
/// that are columns of a contraction are made in its kernel, from what is stored.
void FoldConstantsPass::foldWeightsOfProducts() {
  llvm::SetVector<Operation *> weights;
  getOperation()->walk([&](Operation *op) {
    auto contract = dyn_cast<ContractOp>(op);
    if (contract || isa<ConvOp>(op))
      for (Value operand : op->getOperands())
        if (deferred.contains(operand) && !(contract && operand == contract.getRhs() && constantColumns(contract)))
          weights.insert(operand.getDefiningOp());
  });
  for (Operation *op : weights)
    (void)fold(op);
}

/// Moves what is still used from the temporary file to the one that was asked for.
llvm::Error FoldConstantsPass::moveConstants() {
  ConstantFile kept(constantsFile, &getContext());
  llvm::DenseMap<Attribute, Attribute> moved;
  llvm::Error error = llvm::Error::success();
  getOperation()->walk([&](ConstantOp op) {
    auto blob = dyn_cast<tenon::BlobAttr>(op.getValue());
    if (!blob || blob.getFile() != file->getPath())
      return WalkResult::advance();
    Attribute &attribute = moved[blob];
    if (!attribute) {
      llvm::Expected<ArrayRef<char>> bytes = blob.getData();
      llvm::Expected<uint64_t> offset = bytes ? kept.append(*bytes) : bytes.takeError();
      if (!offset) {
        error = llvm::joinErrors(std::move(error), offset.takeError());
        return WalkResult::interrupt();
      }
      attribute = tenon::BlobAttr::get(blob.getType(), kept.getPath(), *offset, blob.getBytes());
    }
    op.setValueAttr(cast<TypedAttr>(attribute));
    return WalkResult::advance();
  });
  return error ? std::move(error) : kept.keep();
}

void FoldConstantsPass::runOnOperation() {
  if (!evaluator)
    return;
  SmallVector<Operation *> ops;
  getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) { ops.push_back(op); });
  for (Operation *op : ops)
    visit(op);
  if (foldWeights)
    foldWeightsOfProducts();
  deferred.clear();
  // Users before what they use.
  SmallVector<Operation *> left;
  getOperation()->walk<WalkOrder::PreOrder>([&](Operation *op) {
    if (isa_and_nonnull<TenonDialect>(op->getDialect()) && op->getNumRegions() == 0)
      left.push_back(op);
  });
  for (Operation *op : llvm::reverse(left))
    if (isOpTriviallyDead(op))
      op->erase();
  if (file && !constantsFile.empty())
    if (llvm::Error error = moveConstants()) {
      emitError(getOperation()->getLoc()) << llvm::toString(std::move(error));
      signalPassFailure();
    }
  file.reset();
}

std::unique_ptr<Pass> tenon::createFoldConstantsPass(Evaluator evaluator, bool foldWeights) {
  return std::make_unique<FoldConstantsPass>(std::move(evaluator), foldWeights);
}
