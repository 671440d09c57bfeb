//===- BufferWriter.cpp - Name the buffers that tensors lie in ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BufferWriter.h"

#include "mlir/Dialect/Arith/Utils/Utils.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::host;

static MemRefType memrefOf(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return MemRefType::get(type.getShape(), type.getElementType());
}

StringAttr BufferWriter::nameOf(StorageKind kind, int64_t number) {
  if (kind == StorageKind::input)
    return func.getArgAttrOfType<StringAttr>(number, "tenon.name");
  return kind == StorageKind::output ? func.getResultAttrOfType<StringAttr>(number, "tenon.name") : StringAttr();
}

Value BufferWriter::storage(Value tensor, ArrayRef<AffineExpr> extents, StorageKind kind, int64_t number,
                            DenseI64ArrayAttr live, Attribute value) {
  auto [dynamic, fixed] = split(extents, tensor.getLoc());
  std::optional<ValueRange> strides = boundStridesOf(tensor);
  MemRefLayoutAttrInterface attribute;
  if (strides) {
    SmallVector<int64_t> typeStrides(strides->size(), ShapedType::kDynamic);
    typeStrides.push_back(1);
    attribute = StridedLayoutAttr::get(builder.getContext(), 0, typeStrides);
  }
  auto type = MemRefType::get(fixed, cast<RankedTensorType>(tensor.getType()).getElementType(), attribute);
  return StorageOp::create(builder, tensor.getLoc(), type, kind, number, nameOf(kind, number), dynamic, fixed,
                           strides.value_or(ValueRange()), /*bytes=*/Value(), live, value);
}

Value BufferWriter::slot(Value value, StorageKind kind, int64_t number) {
  SmallVector<AffineExpr> extents;
  if (kind == StorageKind::input && isa<RankedTensorType>(value.getType()))
    extents = sizes.sizesOf(value);
  auto [dynamic, fixed] = split(extents, value.getLoc());
  auto type = dyn_cast<ValueType>(value.getType());
  if (!type)
    type = ValueType::get(builder.getContext(), value.getType());
  return SlotOp::create(builder, value.getLoc(), type, kind, number, nameOf(kind, number), dynamic, fixed);
}

std::pair<SmallVector<Value>, SmallVector<int64_t>> BufferWriter::split(ArrayRef<AffineExpr> expressions,
                                                                        Location loc) {
  std::pair<SmallVector<Value>, SmallVector<int64_t>> result;
  dispatchIndexOpFoldResults(sizes.materialize(builder, loc, expressions), result.first, result.second);
  return result;
}

/// Goes to where the tensor's buffer can be named: to the block that it belongs to, but before loops and branches that
/// are part of a segment.
void BufferWriter::goToBlockOf(Value tensor) {
  Block *block = tensor.getParentBlock();
  for (Operation *parent = block->getParentOp(); parent != func; parent = parent->getParentOp())
    if (!analysis.getRegions().isOpen(parent))
      block = parent->getBlock();
  Operation *here = block->findAncestorOpInBlock(*builder.getInsertionPoint());
  if (Operation *placed = flow.lookup(here))
    builder.setInsertionPoint(placed);
  else if (here->getBlock() != builder.getInsertionBlock())
    builder.setInsertionPoint(here);
}

Value BufferWriter::bufferOf(Value tensor) {
  if (Value known = buffers.lookup(tensor))
    return known;
  OpBuilder::InsertionGuard guard(builder);
  goToBlockOf(tensor);
  if (isHeld(tensor.getType())) {
    Value root = analysis.rootOf(tensor);
    Place place = analysis.placeOf(root);
    return buffers[tensor] = slot(root, place.kind, place.number);
  }
  Layout layout = *analysis.getLayouts().layoutOf(tensor);
  if (layout.root != tensor) {
    Value source = bufferOf(layout.root);
    bool isWhole = layout.offset == sizes.constant(0) && layout.isContiguous() &&
                   layout.sizes == sizes.sizesOf(layout.root) && source.getType() == memrefOf(tensor.getType());
    return buffers[tensor] = isWhole ? source : view(layout, tensor.getLoc());
  }
  return buffers[tensor] = rootBufferOf(tensor);
}

/// The buffer of a tensor that is no part of another one.
Value BufferWriter::rootBufferOf(Value tensor) {
  Value root = analysis.rootOf(tensor);
  if (tensor != root && tensor.getType() != root.getType())
    return contiguousView(bufferOf(root), tensor, sizes.sizesOf(tensor));
  if (Value known = buffers.lookup(root))
    return known;
  Place place = analysis.placeOf(root);
  DenseI64ArrayAttr live;
  if (place.kind == StorageKind::arena && place.first >= 0)
    live = builder.getDenseI64ArrayAttr({place.first, place.last});
  Attribute value;
  if (auto constant = root.getDefiningOp<ConstantOp>())
    value = constant.getValue();
  return buffers[root] = storage(root, capacityOf(root), place.kind, place.number, live, value);
}

Value BufferWriter::operandOf(Value tensor, bool givesStrides) {
  return givesStrides ? view(*analysis.getLayouts().layoutOf(tensor), tensor.getLoc(), givesStrides) : bufferOf(tensor);
}

/// A part of a buffer. Its type has the strides that aren't those of contiguous rows; all of them are dynamic in the
/// type of what a kernel gets strides of.
Value BufferWriter::view(const Layout &layout, Location loc, bool givesStrides) {
  Value source = bufferOf(layout.root);
  auto [dynamicOffset, fixedOffset] = split(layout.offset, loc);
  auto [dynamicSizes, fixedSizes] = split(layout.sizes, loc);
  auto [dynamicStrides, fixedStrides] = split(layout.strides, loc);
  MemRefLayoutAttrInterface attribute;
  SmallVector<int64_t> typeStrides = fixedStrides;
  if (givesStrides && !typeStrides.empty())
    std::fill(typeStrides.begin(), typeStrides.end() - 1, ShapedType::kDynamic);
  if (givesStrides || !layout.isContiguous())
    attribute = StridedLayoutAttr::get(builder.getContext(), fixedOffset.front(), typeStrides);
  auto type = MemRefType::get(fixedSizes, cast<MemRefType>(source.getType()).getElementType(), attribute);
  return ViewOp::create(builder, loc, type, source, dynamicOffset, dynamicSizes, dynamicStrides, fixedOffset,
                        fixedSizes, fixedStrides);
}

SmallVector<AffineExpr> BufferWriter::capacityOf(Value root) {
  SmallVector<AffineExpr> result = sizes.sizesOf(root);
  auto loop = root.getDefiningOp<LoopOp>();
  unsigned number = loop ? cast<OpResult>(root).getResultNumber() : 0;
  if (loop && number >= loop.getCarried().size() && !analysis.getRegions().grows(root) &&
      !analysis.getRegions().unknownDims(root).empty())
    result[0] = sizes.expressionOf(tripCounts[loop]);
  return result;
}

Value BufferWriter::contiguousView(Value source, Value tensor, ArrayRef<AffineExpr> extents) {
  Location loc = tensor.getLoc();
  SmallVector<AffineExpr> strides(extents.size());
  AffineExpr stride = sizes.constant(1);
  for (int64_t i = (int64_t)extents.size() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride = stride * extents[i];
  }
  auto [dynamic, fixed] = split(extents, loc);
  auto [dynamicStrides, fixedStrides] = split(strides, loc);
  return ViewOp::create(builder, loc, memrefOf(tensor.getType()), source, ValueRange(), dynamic, dynamicStrides,
                        ArrayRef<int64_t>{0}, fixed, fixedStrides);
}

Value BufferWriter::strided(Value buffer, ArrayRef<AffineExpr> whole, ArrayRef<AffineExpr> offsets,
                            ArrayRef<AffineExpr> extents, ArrayRef<AffineExpr> steps, Location loc) {
  SmallVector<AffineExpr> strides(whole.size());
  AffineExpr stride = sizes.constant(1), offset = sizes.constant(0);
  for (int64_t i = (int64_t)whole.size() - 1; i >= 0; --i) {
    strides[i] = stride * steps[i];
    offset = offset + offsets[i] * stride;
    stride = stride * whole[i];
  }
  auto [dynamicOffset, fixedOffset] = split(offset, loc);
  auto [dynamicSizes, fixedSizes] = split(extents, loc);
  auto [dynamicStrides, fixedStrides] = split(strides, loc);
  auto layout = StridedLayoutAttr::get(builder.getContext(), fixedOffset.front(), fixedStrides);
  auto type = MemRefType::get(fixedSizes, cast<MemRefType>(buffer.getType()).getElementType(), layout);
  return ViewOp::create(builder, loc, type, buffer, dynamicOffset, dynamicSizes, dynamicStrides, fixedOffset,
                        fixedSizes, fixedStrides);
}

void BufferWriter::copy(Value source, Value destination, Location loc) {
  if (isa<MemRefType>(source.getType()))
    CopyOp::create(builder, loc, source, destination);
  else
    CallOp::create(builder, loc, TypeRange(), "identity", "tenon_runtime", source, destination);
}

void BufferWriter::copyTo(Value value, Value result, Location loc) {
  Value source = bufferOf(value), destination = bufferOf(result);
  if (source != destination)
    copy(source, destination, loc);
}

Value BufferWriter::growTo(Value value, int64_t number, Location loc) {
  Value source = bufferOf(value);
  Place place = analysis.placeOf(analysis.rootOf(value));
  if (place.kind == StorageKind::growing && place.number == number)
    return storageOf(source);
  Value target = storage(value, sizes.sizesOf(value), StorageKind::growing, number);
  CopyOp::create(builder, loc, source, target);
  return target;
}

Value BufferWriter::valueOf(AffineExpr size, Location loc) {
  return getValueOrCreateConstantIndexOp(builder, loc, sizes.materialize(builder, loc, size));
}

void BufferWriter::resolve(Value tensor, int64_t dim, Value size) {
  sizes.sizesOf(tensor);
  sizes.resolve(tensor, dim, size);
}

Value BufferWriter::temporary(Value tensor, LoopOp op) {
  OpBuilder::InsertionGuard guard(builder);
  goToBlockOf(op.getResult(0));
  if (isHeld(tensor.getType()))
    return slot(tensor, StorageKind::arena, analysis.addSlot());
  Place place = analysis.placeOf(op.getResult(0));
  auto live = builder.getDenseI64ArrayAttr({place.first, place.last});
  return storage(tensor, sizes.sizesOf(tensor), StorageKind::arena, analysis.addBuffer(), live);
}
