//===- ElementEmitter.h - Elements of a kernel's values, in registers ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

//
// Emits the code that computes elements of the values of a kernel: loads from its operands, and what the ops in between
// say through `ElementInterface`. Which elements, in which loops, is decided by the passes that use it.
//
//===----------------------------------------------------------------------===//

#ifndef TENON_CODEGEN_COMMON_ELEMENTEMITTER_H
#define TENON_CODEGEN_COMMON_ELEMENTEMITTER_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "tenon/Dialect/Tenon/IR/SizeAnalysis.h"

namespace mlir::arith {
class FastMathFlagsAttr;
}

namespace tenon::codegen {

/// A place along one dimension, for each lane of a vector.
struct Coordinate {
  mlir::Value base;   ///< index; null is 0
  int64_t step = 0;   ///< lane l is at `base + offset + l * step`
  mlir::Value lanes;  ///< or anywhere: a vector of indices, instead of the others
  int64_t offset = 0; ///< places of a tile's rows are told apart by it

  bool isUniform() const { return !lanes && step == 0; }
  bool operator==(const Coordinate &other) const {
    return base == other.base && step == other.step && lanes == other.lanes && offset == other.offset;
  }
};
using Coordinates = llvm::SmallVector<Coordinate>;

/// A kernel's operand in memory: a flat buffer of the storage type and the strides of its dimensions, in elements.
struct Buffer {
  mlir::Value memref;
  llvm::SmallVector<mlir::OpFoldResult> strides;
  bool isStrided = false; ///< dimensions that stand next to each other need not run together
  mlir::Value start;      ///< where the first element lies in the flat buffer; null is 0
  mlir::Value only = {};  ///< its only element, where that is read once in front of all units; null elsewhere
};

class ElementEmitter {
public:
  ElementEmitter(mlir::OpBuilder &builder, mlir::Location loc, SizeAnalysis &sizes, int64_t lanes)
      : builder(builder), loc(loc), lanes(lanes), sizes(sizes) {}

  mlir::OpBuilder &builder;
  mlir::Location loc;
  int64_t lanes; ///< elements of a vector, whatever their type
  /// The number of lanes that are in use, or null when all are: reads by the others stay within the operand.
  mlir::Value valid;
  /// The unit of work at hand: it orders the errors of a launch.
  mlir::Value unit;

  /// The elements of `tensor` at the coordinates: a scalar, or a vector of `lanes`.
  mlir::FailureOr<mlir::Value> at(mlir::Value tensor, llvm::ArrayRef<Coordinate> coordinates);
  /// Says what `at` gives for these coordinates within the scope at hand.
  void define(mlir::Value tensor, llvm::ArrayRef<Coordinate> coordinates, mlir::Value element);
  /// That roundings between ops may be left out; nothing where the model's own arithmetic is asked for.
  mlir::arith::FastMathFlagsAttr contraction() const;
  /// Writes elements of the tensor's type, the lanes in use; lane by lane where they don't lie next to each other.
  void store(mlir::Value element, const Buffer &buffer, llvm::ArrayRef<Coordinate> coordinates);

  /// Writes elements that share bytes: whole bytes from the place on, of neighbours that begin with one.
  void storePacked(mlir::Value element, mlir::Type type, const Buffer &buffer, llvm::ArrayRef<Coordinate> coordinates);

  void addBuffer(mlir::Value tensor, Buffer buffer) { buffers[tensor] = std::move(buffer); }
  const Buffer *bufferOf(mlir::Value tensor) const;
  /// The tensor in memory from `base` on: in contiguous rows, or with strides given for all but the last dimension.
  Buffer makeBuffer(mlir::Value base, llvm::ArrayRef<mlir::AffineExpr> sizes, std::optional<mlir::ValueRange> strides);

  /// Where the elements of a tile are: in a tensor of which it is a part, or, of a tensor of which one tile is known,
  /// in this. Dimension i of the tile lies along dimension `dims[i]` of the whole, from `at` on.
  struct Part {
    mlir::Value source;
    Coordinates at;
    llvm::SmallVector<int64_t> dims;
    bool isKnown; ///< the source is the tile, not the whole
    /// The places of each dimension of the tile within it, where some lie beyond what may be read; those are others'
    /// then.
    llvm::SmallVector<llvm::SmallVector<mlir::Value>> places = {};
    mlir::Value valid = {}; ///< the lanes that may be read; null is all
    /// Tiles of places along dimensions of the whole, which go along with the first one's dimension of the tile.
    llvm::SmallVector<std::pair<int64_t, mlir::Value>> gathered = {};
    /// How far the places of each dimension of the tile are from each other in the whole; none is 1.
    llvm::SmallVector<int64_t> steps = {};
  };
  void addTile(mlir::Value tile, Part part) { parts[tile] = std::move(part); }

  /// Says that a tile is in registers: of each row, one after the other, vectors of one size, or scalars.
  void addRegisters(mlir::Value tile, mlir::ValueRange vectors) {
    registers[tile].assign(vectors.begin(), vectors.end());
  }
  /// Null where it isn't.
  const llvm::SmallVector<mlir::Value> *registersOf(mlir::Value tile) const {
    auto it = registers.find(tile);
    return it == registers.end() ? nullptr : &it->second;
  }

  /// Values that were computed inside are forgotten at its end: they don't dominate what follows.
  class Scope {
  public:
    explicit Scope(ElementEmitter &emitter) : emitter(emitter), mark(emitter.known.size()) {}
    ~Scope() { emitter.known.truncate(mark); }

  private:
    ElementEmitter &emitter;
    size_t mark;
  };

  //===--------------------------------------------------------------------===//
  // Building blocks
  //===--------------------------------------------------------------------===//

  mlir::Value index(int64_t value);
  mlir::Value index(mlir::OpFoldResult value);
  mlir::Value index(mlir::AffineExpr size);
  mlir::Value size(mlir::Value tensor, int64_t dim);
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value sub(mlir::Value a, mlir::Value b);
  mlir::Value mul(mlir::Value a, mlir::Value b);
  /// Coordinates of the position `linear` in a row-major box of these sizes.
  llvm::SmallVector<mlir::Value> delinearize(mlir::Value linear, llvm::ArrayRef<mlir::Value> extents);

  /// A number of the type, an integer or floating-point one.
  mlir::Value number(mlir::Type type, double value);
  mlir::Value integer(mlir::Type type, int64_t value);
  /// An element of a type, in registers.
  mlir::Value constant(mlir::Attribute value, mlir::Type element);
  /// The scalar or vector as a vector.
  mlir::Value asVector(mlir::Value value);
  /// All as vectors if one is, else as they are.
  void unify(llvm::MutableArrayRef<mlir::Value> values);
  /// `scalar` or a vector of it, as `value` is.
  mlir::Type typeLike(mlir::Value value, mlir::Type scalar) const;
  /// The lanes in use as a mask, or null when all are.
  mlir::Value mask();

  /// The place of lane 0.
  mlir::Value first(const Coordinate &coordinate);
  /// The sum of two places.
  Coordinate add(const Coordinate &a, const Coordinate &b);
  /// The coordinate as an index value, or as a vector of them.
  mlir::Value positions(const Coordinate &coordinate);
  /// A coordinate from an index value or a vector of them.
  static Coordinate coordinate(mlir::Value positions);

  /// A loop over [low, high), or [0, extent), that carries values.
  using LoopBody = llvm::function_ref<mlir::FailureOr<llvm::SmallVector<mlir::Value>>(mlir::Value, mlir::ValueRange)>;
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> loop(mlir::Value low, mlir::Value high, mlir::ValueRange init,
                                                       LoopBody body);
  mlir::FailureOr<llvm::SmallVector<mlir::Value>> loop(mlir::Value extent, mlir::ValueRange init, LoopBody body) {
    return loop(index(0), extent, init, body);
  }

  SizeAnalysis &sizes;

  /// The largest distance at which neighbouring lanes are read by whole vectors.
  static constexpr int64_t maxStep = 4;

  /// Where a place lies in a flat buffer.
  mlir::Value offsetOf(const Buffer &buffer, llvm::ArrayRef<Coordinate> coordinates);
  /// Elements of the tensor's type in a buffer.
  mlir::FailureOr<mlir::Value> load(const Buffer &buffer, mlir::Type element, llvm::ArrayRef<Coordinate> coordinates);

private:
  mlir::Value loadSteps(const Buffer &buffer, mlir::VectorType type, const Coordinate &place);
  void storeLanes(mlir::Value element, const Buffer &buffer, const Coordinate &place);
  mlir::FailureOr<mlir::Value> at(mlir::Value tensor, const Part &part, llvm::ArrayRef<Coordinate> coordinates);
  mlir::FailureOr<mlir::Value> at(mlir::Value tile, llvm::ArrayRef<mlir::Value> vectors,
                                  llvm::ArrayRef<Coordinate> coordinates);
  /// The place within a tile, or the one that is read for it.
  Coordinate within(const Part &part, size_t dim, const Coordinate &coordinate);

  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Value, Part> parts;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> registers;
  struct Known {
    mlir::Value tensor;
    Coordinates coordinates;
    int64_t lanes; ///< of the vectors; 0 where no coordinate depends on the lane
    mlir::Value element;
  };
  int64_t lanesAt(llvm::ArrayRef<Coordinate> coordinates) const;
  llvm::SmallVector<Known> known;
};

/// The elements of `tensor` at the coordinates, some of which may lie outside of it: there, `outside`, a scalar or
/// vector. Those of the dimensions that aren't `checked` lie inside.
mlir::FailureOr<mlir::Value> emitWithin(ElementEmitter &emitter, mlir::Value tensor,
                                        llvm::ArrayRef<Coordinate> coordinates, mlir::Value outside,
                                        llvm::ArrayRef<int64_t> checked);

/// How elements lie in memory: signless, `i1` as a byte. Null for types that kernels can't hold.
mlir::Type storageType(mlir::Type element);
/// Whether elements share bytes: they can be read, but not written on their own.
bool isPacked(mlir::Type element);
/// How elements are computed: signless, packed ones widened.
mlir::Type registerType(mlir::Type element);

} // namespace tenon::codegen

#include "tenon/Codegen/Common/ElementInterface.h.inc"

namespace tenon::codegen {
/// Attaches `ElementInterface` to the ops of the graph dialect.
void registerElementwiseElements(mlir::DialectRegistry &registry);
void registerMovementElements(mlir::DialectRegistry &registry);
void registerReductionElements(mlir::DialectRegistry &registry);
void registerWindowElements(mlir::DialectRegistry &registry);
void registerContractionElements(mlir::DialectRegistry &registry);
} // namespace tenon::codegen

#endif // TENON_CODEGEN_COMMON_ELEMENTEMITTER_H
