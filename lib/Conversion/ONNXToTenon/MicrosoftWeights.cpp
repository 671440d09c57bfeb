//===- MicrosoftWeights.cpp - ONNX Runtime's operators on packed weights ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Weights of few bits in blocks with a scale each; activations stay in floating point.
//
//===----------------------------------------------------------------------===//

#include "Activation.h"
#include "Contraction.h"
#include "Indexing.h"
#include "Normalization.h"
#include "Quantization.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace tenon;
using namespace tenon::onnx;

Value onnx::unpack(Node &node, Value bytes, int64_t bits, bool lowFirst) {
  if (bits == 8)
    return bytes;
  int64_t perByte = 8 / bits, rank = rankOf(bytes);
  Sizes apart = node.sizesOf(bytes), joined = apart;
  joined.back() = node.sizes.simplify(joined.back() * perByte);
  apart.push_back(node.size(perByte));
  SmallVector<double> shifts;
  for (int64_t i = 0; i < perByte; ++i)
    shifts.push_back((lowFirst ? i : perByte - 1 - i) * bits);
  Value repeated = node.broadcast(bytes, llvm::to_vector(llvm::seq<int64_t>(0, rank)), apart);
  Value shift = node.broadcast(node.numbersConstant(shifts, elementOf(bytes)), {rank}, apart);
  Value numbers = node.binary<AndOp>(node.binary<ShrOp>(repeated, shift),
                                     node.splat(llvm::maskTrailingOnes<uint64_t>(bits), repeated));
  return node.reshape(numbers, joined);
}

//===----------------------------------------------------------------------===//
// MatMulNBits
//===----------------------------------------------------------------------===//

namespace {
/// Numbers of rows, columns and elements per block of a matrix of weights; so large that their products
/// overflow, there is no such tensor.
bool checkSizes(Node &node, int64_t n, int64_t k, int64_t block) {
  constexpr int64_t limit = int64_t(1) << 31;
  if (n < 1 || k < 1)
    node.error() << "expects positive N and K, but has " << n << " and " << k;
  else if (n > limit || k > limit)
    node.error() << "expects N and K of at most 2^31, but has " << n << " and " << k;
  else if (block < 16 || block > limit || !llvm::isPowerOf2_64(block))
    node.error() << "expects a power of 2 of at least 16 as block_size, but has " << block;
  return !node.hasFailed();
}

constexpr size_t absent = ~size_t(0);

/// Where weights, and what belongs to them, stand among a node's operands.
struct BlockedOperands {
  size_t weights, scales, zeroPoints = absent, groups = absent, bias = absent;
};

/// How many rows and columns there are, of how many bits, and how many columns share a scale.
struct BlockedSizes {
  int64_t n, k, bits, block;
};

BlockedSizes sizesOf(Node &node, StringRef rows, StringRef prefix = "", int64_t block = 0, int64_t bits = 4) {
  return {node.integer(rows, 0), node.integer("K", 0), node.integer((prefix + "bits").str(), bits),
          node.integer((prefix + "block_size").str(), block)};
}

/// The matrix of weights of MatMulNBits, rows of blocks with a scale and perhaps a zero point each.
class BlockedWeights {
public:
  BlockedWeights(Node &node, BlockedSizes sizes, BlockedOperands at)
      : node(node), at(at), n(sizes.n), k(sizes.k), bits(sizes.bits), block(sizes.block),
        blocks(block > 0 && k > 0 ? llvm::divideCeil(k, block) : 0) {}

  /// The product of rows with the transposed matrix; null after an error.
  Value multiply(Value x) {
    Value y;
    if (isEmpty()) {
      y = zeros(x);
    } else {
      Value weights = build();
      if (!weights || node.hasFailed())
        return {};
      y = matMul(node, x, node.transpose(weights, {1, 0}), elementOf(node[0]));
    }
    if (Value bias = node[at.bias])
      y = node.binary<AddOp>(y, node.broadcastTo(bias, node.sizesOf(y)));
    return y;
  }

private:
  /// N x K numbers; null after an error.
  Value build() {
    if (!check())
      return {};
    // Narrow floating point can't hold what comes before the scale.
    Type f32 = node.builder.getF32Type();
    Value numbers = unpack(node, node[at.weights], bits);
    // Constants stay packed: what contractions read may share bytes.
    if (bits < 8 && node[at.weights].getDefiningOp<ConstantOp>())
      numbers = node.cast(numbers, IntegerType::get(node.builder.getContext(), bits, IntegerType::Unsigned));
    numbers = node.cast(numbers, f32);
    if (node.has(at.groups)) {
      numbers = firstColumns(numbers);
      numbers = node.binary<SubOp>(numbers, perColumn(zeroPoints(), numbers));
      numbers = node.binary<MulOp>(numbers, perColumn(node.cast(node[at.scales], f32), numbers));
    } else {
      numbers = node.binary<SubOp>(numbers, perBlock(zeroPoints(), numbers));
      numbers = firstColumns(node.binary<MulOp>(numbers, perBlock(node.cast(node[at.scales], f32), numbers)));
    }
    return node.cast(numbers, elementOf(node[0]));
  }

  /// Whether the weights are left out, by a dimension of size 0: their product is 0.
  bool isEmpty() { return rankOf(node[at.weights]) == 3 && llvm::is_contained(typeOf(node[at.weights]).getShape(), 0); }

  Value zeros(Value rows) {
    Sizes sizes = node.sizesOf(rows);
    sizes.back() = node.size(n);
    return node.broadcast(node.scalar(0, elementOf(rows)), {}, sizes);
  }

  bool check() {
    if (!checkSizes(node, n, k, block))
      return false;
    if (bits != 2 && bits != 4 && bits != 8)
      node.unsupported() << "weights of " << bits << " bits";
    else if (node.flag("weight_prepacked"))
      node.unsupported() << "weights in a layout of ONNX Runtime's CUDA kernels (weight_prepacked)";
    else if (node.has(at.groups) && !hasGroups())
      node.error() << "expects the group of each of the " << k << " columns (g_idx), but has "
                   << typeOf(node[at.groups]);
    else if (!isa<FloatType>(elementOf(node[0])) || rankOf(node[0]) < 1)
      node.error() << "expects floating-point rows, but has " << typeOf(node[0]);
    else
      return expectElements(at.weights, n * blocks * (block * bits / 8)) && expectElements(at.scales, n * blocks) &&
             checkBytes();
    return false;
  }

  /// g_idx: one group per column, those that fill up the last block may be left out.
  bool hasGroups() {
    RankedTensorType type = typeOf(node[at.groups]);
    return type.getRank() == 1 && type.hasStaticShape() && isa<IntegerType>(type.getElementType()) &&
           (type.getDimSize(0) == k || type.getDimSize(0) == blocks * block);
  }

  bool checkBytes() {
    Type ui8 = node.builder.getIntegerType(8, /*isSigned=*/false);
    auto expected = RankedTensorType::get({n, blocks, block * bits / 8}, ui8);
    if (typeOf(node[at.weights]) == expected)
      return true;
    node.error() << "expects weights of " << expected << ", but has " << typeOf(node[at.weights]);
    return false;
  }

  bool expectElements(size_t operand, int64_t count) {
    if (typeOf(node[operand]).hasStaticShape() && typeOf(node[operand]).getNumElements() == count)
      return true;
    node.error() << "expects " << count << " elements in operand " << operand << ", but has " << typeOf(node[operand]);
    return false;
  }

  /// Packed as the weights are, each row from a whole byte on, or one floating-point number per block.
  Value zeroPoints() {
    Type f32 = node.builder.getF32Type();
    if (!node.has(at.zeroPoints))
      return node.scalar(1 << (bits - 1), f32);
    if (isa<FloatType>(elementOf(node[at.zeroPoints])))
      return expectElements(at.zeroPoints, n * blocks) ? node.cast(node[at.zeroPoints], f32) : node.scalar(0, f32);
    int64_t bytes = llvm::divideCeil(blocks * bits, 8);
    if (!elementOf(node[at.zeroPoints]).isUnsignedInteger(8))
      node.error() << "expects zero points in bytes or in floating point, but has " << typeOf(node[at.zeroPoints]);
    if (node.hasFailed() || !expectElements(at.zeroPoints, n * bytes))
      return node.scalar(0, f32);
    Value all = unpack(node, node.reshape(node[at.zeroPoints], {node.size(n), node.size(bytes)}), bits);
    return node.cast(node.slice(all, 1, node.size(0), node.size(blocks)), f32);
  }

  /// The last block may be filled up.
  Value firstColumns(Value numbers) {
    Value rows = node.reshape(numbers, {node.size(n), node.size(blocks * block)});
    return node.slice(rows, 1, node.size(0), node.size(k));
  }

  /// Of the group that the node names for the column.
  Value perColumn(Value parameter, Value numbers) {
    if (rankOf(parameter) == 0)
      return parameter;
    Value groups = node.slice(node[at.groups], 0, node.size(0), node.size(k));
    return take(node, node.reshape(parameter, {node.size(n), node.size(blocks)}), groups, 1);
  }

  Value perBlock(Value parameter, Value numbers) {
    if (rankOf(parameter) == 0)
      return parameter;
    parameter = node.reshape(parameter, {node.size(n), node.size(blocks)});
    return node.broadcast(parameter, {0, 1}, node.sizesOf(numbers));
  }

  Node &node;
  BlockedOperands at;
  int64_t n, k, bits, block, blocks;
};

Results matMulNBits(Node &node) {
  Value y = BlockedWeights(node, sizesOf(node, "N"), {1, 2, 3, 4, 5}).multiply(node[0]);
  return y ? Results(y) : Results(failure());
}

/// The operand plus a skip, normalised where there is a scale; and the sum.
std::pair<Value, Value> normalizedSum(Node &node, double epsilon) {
  Value x = node[0];
  if (node.has(1))
    x = node.binary<AddOp>(x, node.broadcastTo(node[1], node.sizesOf(x)));
  if (!node.has(2))
    return {x, x};
  Value y = normalize(node, x, {rankOf(x) - 1}, node.number("epsilon", epsilon), /*rms=*/true);
  return {node.binary<MulOp>(y, node.broadcastTo(node[2], node.sizesOf(y))), x};
}

/// activation(x G) * (x U).
Results matMulNBitsMlp(Node &node) {
  if (!node.expect({0, 3, 4, 6, 7}) || rankOf(node[0]) < 1)
    return failure();
  auto [x, sum] = normalizedSum(node, 1e-5f);
  BlockedSizes sizes = sizesOf(node, "N");
  Value gate = BlockedWeights(node, sizes, {.weights = 3, .scales = 4, .bias = 5}).multiply(x);
  Value up = gate ? BlockedWeights(node, sizes, {.weights = 6, .scales = 7, .bias = 8}).multiply(x) : Value();
  if (!up)
    return failure();
  gate = Activation{node.string("activation", "").lower()}.apply(node, gate);
  return {node.binary<MulOp>(gate, up), sum};
}

Results matMulNBitsQkv(Node &node) {
  if (!node.expect({0, 2, 3, 4, 6, 7, 9, 10}) || rankOf(node[0]) < 1)
    return failure();
  auto [x, sum] = normalizedSum(node, 1e-6f);
  SmallVector<Value> results;
  for (size_t first : {3, 6, 9}) {
    BlockedSizes sizes = sizesOf(node, first == 3 ? "Nq" : "Nkv");
    results.push_back(
        BlockedWeights(node, sizes, {.weights = first, .scales = first + 1, .bias = first + 2}).multiply(x));
    if (!results.back())
      return failure();
  }
  results.push_back(sum);
  return ArrayRef(results);
}

/// x W + (x A) B, where A and B are of low rank.
Results matMulNBitsQLoRA(Node &node) {
  if (rankOf(node[4]) < 1 || !typeOf(node[4]).hasStaticShape())
    return node.error() << "expects scales of known size as lora_A_scales, but has " << typeOf(node[4]);
  BlockedSizes base = sizesOf(node, "N", "", 32), down = sizesOf(node, "N", "lora_", 32, 8), up = down;
  down.n = up.k = typeOf(node[4]).getDimSize(0);
  Value y = BlockedWeights(node, base, {1, 2}).multiply(node[0]);
  Value low = y ? BlockedWeights(node, down, {3, 4}).multiply(node[0]) : Value();
  Value added = low ? BlockedWeights(node, up, {5, 6}).multiply(low) : Value();
  return added ? Results(node.binary<AddOp>(y, added)) : Results(failure());
}

//===----------------------------------------------------------------------===//
// MatMulBnb4
//===----------------------------------------------------------------------===//

/// What the 16 numbers of 4 bits stand for: FP4 (sign, two bits of exponent, one of mantissa, over 12) and
/// NF4 (quantiles of the normal distribution; Dettmers et al., QLoRA, 2023, appendix E).
constexpr double fp4[16] = {0,    5.208333333e-03,  0.66666667,  1,  0.33333333,  0.5,  0.16666667,  0.25,
                            -0.0, -5.208333333e-03, -0.66666667, -1, -0.33333333, -0.5, -0.16666667, -0.25};
constexpr double nf4[16] = {-1,
                            -0.6961928009986877,
                            -0.5250730514526367,
                            -0.39491748809814453,
                            -0.28444138169288635,
                            -0.18477343022823334,
                            -0.09105003625154495,
                            0,
                            0.07958029955625534,
                            0.16093020141124725,
                            0.24611230194568634,
                            0.33791524171829224,
                            0.44070982933044434,
                            0.5626170039176941,
                            0.7229568362236023,
                            1};

/// Blocks run on over the ends of rows.
Results matMulBnb4(Node &node) {
  int64_t n = node.integer("N", 0), k = node.integer("K", 0), block = node.integer("block_size", 0);
  int64_t kind = node.integer("quant_type", -1);
  Type ui8 = node.builder.getIntegerType(8, /*isSigned=*/false), f32 = node.builder.getF32Type();
  if (!checkSizes(node, n, k, block))
    return failure();
  if (kind != 0 && kind != 1)
    return node.error() << "expects 0 (FP4) or 1 (NF4) as quant_type, but has " << kind;
  int64_t bytes = llvm::divideCeil(n * k, 2), blocks = llvm::divideCeil(n * k, block);
  auto expected = RankedTensorType::get({bytes}, ui8);
  if (typeOf(node[1]) != expected)
    return node.error() << "expects weights of " << expected << ", but has " << typeOf(node[1]);
  Value scales = node[2];
  if (typeOf(scales).getShape() != ArrayRef(blocks))
    return node.error() << "expects " << blocks << " scales, but has " << typeOf(scales);
  Value table = node.numbersConstant(kind == 0 ? fp4 : nf4, f32);
  Value numbers = node.cast(unpack(node, node[1], 4, /*lowFirst=*/false), node.builder.getI64Type());
  Value all = node.slice(take(node, table, numbers, 0), 0, node.size(0), node.size(n * k));
  all = node.binary<MulOp>(all, repeatBlocks(node, node.cast(scales, f32), all, 0, block));
  Value weights = node.cast(node.reshape(all, {node.size(n), node.size(k)}), elementOf(node[0]));
  if (node.flag("transB", true))
    weights = node.transpose(weights, {1, 0});
  return matMul(node, node[0], weights, elementOf(node[0]));
}

//===----------------------------------------------------------------------===//
// Weights of 4 and 8 floating-point bits
//===----------------------------------------------------------------------===//

/// The product of rows with a transposed matrix of N rows whose elements share a scale per block, and a bias.
Results multiplyBlocks(Node &node, Value numbers, Value scales, int64_t block, size_t bias, Value rows) {
  Type element = elementOf(node[0]);
  int64_t columns = typeOf(numbers).getDimSize(1);
  int64_t blocks = ShapedType::isDynamic(columns) || block < 1 ? -1 : llvm::divideCeil(columns, block);
  if (rankOf(scales) != 2 || blocks < 0 || typeOf(scales).getDimSize(1) != blocks ||
      typeOf(scales).getDimSize(0) != typeOf(numbers).getDimSize(0))
    return node.error() << "expects a scale per block of each row of weights (" << blocks << "), but has "
                        << typeOf(scales);
  if (node.has(bias) && (rankOf(node[bias]) != 1 || elementOf(node[bias]) != element))
    return node.error() << "expects a vector of " << element << " as bias, but has " << typeOf(node[bias]);
  Value weights = node.binary<MulOp>(numbers, repeatBlocks(node, scales, numbers, 1, block));
  Value y = matMul(node, rows, node.transpose(node.cast(weights, element), {1, 0}), element);
  if (node.has(bias))
    y = node.binary<AddOp>(y, node.broadcastTo(node[bias], node.sizesOf(y)));
  return y;
}

Results matMulFp8(Node &node) {
  Type f32 = node.builder.getF32Type();
  Value rows = node[0];
  if (rankOf(node[1]) != 2 || !isa<Float8E4M3FNType>(elementOf(node[1])))
    return node.error() << "expects a matrix of float8e4m3fn as weights, but has " << typeOf(node[1]);
  if (node.has(3)) {
    if (!isSingle(node[3]))
      return node.error() << "expects a scalar as a_scale, but has " << typeOf(node[3]);
    Value scale = node.reshape(node[3], {});
    Value narrow = node.cast(node.binary<DivOp>(node.cast(rows, f32), scale), elementOf(node[1]), /*saturate=*/true);
    rows = node.cast(node.binary<MulOp>(node.cast(narrow, f32), scale), elementOf(rows));
  }
  return multiplyBlocks(node, node.cast(node[1], f32), node.cast(node[2], f32), node.integer("block_size", 128), 4,
                        rows);
}

/// Two numbers of 4 bits (E2M1) in a byte; scales are bytes of 8-bit floating point (E4M3) times one for all.
Results matMulFp4(Node &node) {
  Type f32 = node.builder.getF32Type(), i64 = node.builder.getI64Type();
  for (size_t i : {1, 2})
    if (rankOf(node[i]) != 2 || !elementOf(node[i]).isUnsignedInteger(8))
      return node.error() << "expects a matrix of uint8 as operand " << i << ", but has " << typeOf(node[i]);
  if (!isSingle(node[3]))
    return node.error() << "expects a scalar as weight_scale_2, but has " << typeOf(node[3]);
  SmallVector<double> fours, eights;
  for (int64_t bits = 0; bits < 16; ++bits)
    fours.push_back(APFloat(APFloat::Float4E2M1FN(), APInt(4, bits)).convertToDouble());
  for (int64_t bits = 0; bits < 256; ++bits)
    eights.push_back(APFloat(APFloat::Float8E4M3FN(), APInt(8, bits)).convertToDouble());
  auto looked = [&](ArrayRef<double> values, Value numbers) {
    return take(node, node.numbersConstant(values, f32), node.cast(numbers, i64), 0);
  };
  Value scales = node.binary<MulOp>(looked(eights, node[2]), node.reshape(node.cast(node[3], f32), {}));
  return multiplyBlocks(node, looked(fours, unpack(node, node[1], 4)), scales, node.integer("block_size", 16), 5,
                        node[0]);
}

//===----------------------------------------------------------------------===//
// GatherBlockQuantized
//===----------------------------------------------------------------------===//

/// What is gathered is dequantised, not the whole operand.
class GatheredBlocks {
public:
  explicit GatheredBlocks(Node &node)
      : node(node), data(node[0]), scales(node[2]), zeroPoints(node[3]), rank(rankOf(data)),
        gathered(node.dimension(node.integer("gather_axis", 0), rank)),
        quantized(node.dimension(node.integer("quantize_axis", 1), rank)), block(node.integer("block_size", 128)),
        bits(node.integer("bits", 4)), isBytes(elementOf(data).isUnsignedInteger(8)),
        isFloat(isa<FloatType>(elementOf(data))) {}

  Results convert() {
    if (!check())
      return failure();
    Type f32 = node.builder.getF32Type(), wide = isFloat ? f32 : Type(node.builder.getI32Type());
    Value indices = node.cast(node[1], node.builder.getI64Type());
    Value extent = node.fromSizes(node.sizeOf(data, gathered), RankedTensorType::get({}, elementOf(indices)));
    Value isInside = node.binary<AndOp>(node.compare(Predicate::lt, indices, extent),
                                        node.compare(Predicate::ge, indices, node.unary<NegOp>(extent)));
    Value blocks = indices;
    if (gathered == quantized) {
      Value fromEnd = node.binary<AddOp>(indices, extent);
      blocks =
          node.binary<DivOp>(node.select(node.compare(Predicate::lt, indices, 0.0), fromEnd, indices), double(block));
    }
    // Numbers that share bytes can't be moved, so the indices' dimensions stay first until the end.
    int64_t count = rankOf(indices), dim = count + quantized - (quantized > gathered);
    auto gather = [&](Value x, Value at) {
      return node.gather(x, node.unsqueeze(at, {count}), {gathered}, /*batchDims=*/0, IndexMode::clamp);
    };
    Value y = node.cast(unpacked(gather(data, indices)), wide);
    auto repeat = [&](Value parameter) {
      return gathered == quantized ? parameter : repeatBlocks(node, parameter, y, dim, block);
    };
    if (zeroPoints) {
      Value zeros = node.cast(unpacked(gather(zeroPoints, blocks)), wide);
      if (isBytes)
        zeros = node.slice(zeros, dim, node.size(0), node.sizeOf(scales, quantized));
      y = node.binary<SubOp>(y, repeat(zeros));
    } else if (isBytes) {
      y = node.binary<SubOp>(y, double(1 << (bits - 1)));
    }
    y = node.binary<MulOp>(node.cast(y, f32), repeat(node.cast(gather(scales, blocks), f32)));
    isInside = node.broadcast(isInside, llvm::to_vector(llvm::seq<int64_t>(0, count)), node.sizesOf(y));
    y = node.cast(node.select(isInside, y, node.splat(0, y)), elementOf(scales));
    return placeIndices(node, y, count, gathered);
  }

private:
  bool check() {
    if (node.hasFailed())
      return false;
    if (isFloat && block == 0) {
      if (ShapedType::isDynamic(typeOf(data).getDimSize(quantized)))
        node.unsupported() << "a block of a size that is not known when compiling";
      else
        block = std::max<int64_t>(typeOf(data).getDimSize(quantized), 1);
    } else if (block < 16 || !llvm::isPowerOf2_64(block)) {
      node.error() << "expects a power of 2 of at least 16 as block_size, but has " << block;
    }
    if (isBytes && bits != 2 && bits != 4 && bits != 8)
      node.error() << "expects 2, 4 or 8 bits, but has " << bits;
    else if (!isBytes && !isFloat && bits != 4)
      node.error() << "expects 4 bits, but has " << bits;
    else if (isBytes && (gathered != 0 || quantized != rank - 1 || rank < 2))
      node.error() << "expects to gather bytes along the first axis, quantised along the last, but has axes "
                   << gathered << " and " << quantized << " of " << rank;
    else if (isa<Float4E2M1FNType>(elementOf(data)))
      node.unsupported() << "elements of " << elementOf(data);
    else if (!isa<FloatType>(elementOf(scales)) || rankOf(scales) != rank)
      node.error() << "expects floating-point scales of rank " << rank << ", but has " << typeOf(scales);
    else if (isFloat && zeroPoints)
      node.error() << "expects no zero points of floating-point numbers";
    else if (zeroPoints && (rankOf(zeroPoints) != rank || elementOf(zeroPoints) != elementOf(data)))
      node.error() << "expects zero points of rank " << rank << " of " << elementOf(data) << ", but has "
                   << typeOf(zeroPoints);
    else if (!isa<IntegerType>(elementOf(node[1])))
      node.error() << "expects integers as indices, but has " << typeOf(node[1]);
    else
      return !node.hasFailed() && repeatScales();
    return false;
  }

  /// Scales, and zero points, lie as the operand but along the quantised axis. Those of floating-point
  /// numbers may be one for all of a dimension.
  bool repeatScales() {
    Sizes expected = node.sizesOf(data);
    AffineExpr all = node.product({expected[quantized], node.size(isBytes ? 8 / bits : 1)});
    expected[quantized] = node.sizes.simplify(all.ceilDiv(block));
    if (isFloat)
      scales = node.broadcastTo(scales, expected);
    for (auto [dim, actual, wanted] : llvm::enumerate(node.sizesOf(scales), expected))
      if (isStatic(actual) && isStatic(wanted) && actual != wanted) {
        node.error() << "expects " << SizeAnalysis::staticSize(wanted) << " scales along dimension " << dim
                     << ", but has " << typeOf(scales);
        return false;
      }
    return !node.hasFailed();
  }

  Value unpacked(Value x) { return isBytes ? unpack(node, x, bits) : x; }

  Node &node;
  Value data, scales, zeroPoints;
  int64_t rank, gathered, quantized, block, bits;
  bool isBytes, isFloat;
};

Results gatherBlockQuantized(Node &node) { return GatheredBlocks(node).convert(); }
} // namespace

void onnx::addMicrosoftWeightConverters(ConverterTable &table) {
  table.add("com.microsoft.MatMulNBits", 1, 3, 6, matMulNBits);
  table.add("com.microsoft.MatMulNBitsMlp", 1, 1, 9, matMulNBitsMlp);
  table.add("com.microsoft.MatMulNBitsQkv", 1, 1, 12, matMulNBitsQkv);
  table.add("com.microsoft.MatMulNBitsQLoRA", 1, 7, 7, matMulNBitsQLoRA);
  table.add("com.microsoft.MatMulBnb4", 1, 3, 3, matMulBnb4);
  table.add("com.microsoft.MatMulBlockQuantizedFp8Weight", 1, 3, 5, matMulFp8);
  table.add("com.microsoft.MatMulBlockQuantizedFp4Weight", 1, 4, 6, matMulFp4);
  table.add("com.microsoft.GatherBlockQuantized", 1, 3, 4, gatherBlockQuantized);
}
