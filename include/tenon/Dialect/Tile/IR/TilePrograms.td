//===- TilePrograms.td - How a target computes a kernel ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILEPROGRAMS
#define TENON_DIALECT_TILE_IR_TILEPROGRAMS

include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tile/IR/TileDialect.td"

// Coordinates, extents, bounds and sizes are lists of affine expressions of index values: a map beside its operands,
// dimensions first, then symbols.

defvar defaultsToTiles = [{
    static llvm::StringRef getDefaultDialect() { return "tenon_tile"; }
}];
defvar defaultsToGraph = [{
    static llvm::StringRef getDefaultDialect() { return "tenon"; }
}];

// An op whose regions end in `yield`, which isn't written where it gives nothing. Ops of tile programs have no prefix there.
// Grids, stages and roles stay where they are, whatever is in them: they are part of a program, or a barrier.
class Tile_RegionOp<string mnemonic, list<Trait> traits>
    : Tile_Op<mnemonic, traits # [OpAsmOpInterface, SingleBlockImplicitTerminator<"YieldOp">]> {
  let extraClassDeclaration = defaultsToTiles;
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Programs
//===----------------------------------------------------------------------===//

def Tile_ProgramOp : Tile_Op<"program", [
    IsolatedFromAbove, FunctionOpInterface, OpAsmOpInterface, SingleBlock, NoTerminator,
    DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "what one group does in a launch, on one target";
  let description = [{
    A group is a worker on a CPU, a block of `warps` threads on a GPU. Arguments are the kernel's symbols, strides that come
    with the launch, then memory: operands, behind the arrow results. Operands of 4-bit elements, two to a byte, are read by
    `compute` only. The body is a prelude (index arithmetic, `bind`,
    `view`, `scratch`, `ring`, constants), then grids, which all groups end before they begin the next one. Where a
    `guard` doesn't hold, the next program of the variant runs; the last one has none.

    | attribute of an argument | meaning |
    |---|---|
    | `tenon_tile.form = @f` | holds what the form `@f` makes of operands that are constant |
    | `tenon_tile.operands = [1, 2]` | of these tensors of the kernel; else of the one behind the argument before |
    | `tenon_tile.tied = 3` | a result that may be the memory of this argument |
    | `tenon_tile.present` | a result that is: it holds the argument that it is tied to when the program begins |
    | `tenon_tile.align = 16` | its address is a multiple of as many bytes |

    `tenon_tile.computes` names the kernel that it must agree with, `tenon_tile.function_bits` says how many bits elementary
    functions of f32 keep, if not all.

    ```mlir
    tenon_tile.program @relu(%m: index, %x: memref<?x64xf32>) -> (%y: memref<?x64xf32>) guard (64 - %m >= 0) {
      bind %x sizes [%m, 64] : memref<?x64xf32>
      bind %y sizes [%m, 64] : memref<?x64xf32>
      grid (%i) = 0 to %m {
        %0 = load %x[%i, 0] : memref<?x64xf32> -> tensor<64xf32>
        %zero = tenon.constant dense<0.0> : tensor<64xf32>
        %1 = tenon.max %0, %zero : tensor<64xf32>
        store %1, %y[%i, 0] : tensor<64xf32>, memref<?x64xf32>
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs, I64Attr:$outputs, OptionalAttr<IntegerSetAttr>:$guard,
                       OptionalAttr<I64Attr>:$warps);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = defaultsToTiles # [{
    llvm::ArrayRef<mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    llvm::ArrayRef<mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    mlir::Region *getCallableRegion() { return &getBody(); }
    /// The leading arguments: symbols and strides.
    unsigned getNumIndices() {
      return llvm::count_if(getArgumentTypes(), [](mlir::Type type) { return type.isIndex(); });
    }
    /// The first argument that is a result.
    unsigned getFirstResult() { return getArgumentTypes().size() - getOutputs(); }
    /// The tensors of the kernel that an argument, which is no result, is made of.
    llvm::SmallVector<int64_t> getOperandsOf(unsigned argument);
  }];
}

def Tile_FormOp : Tile_Op<"form", [IsolatedFromAbove, FunctionOpInterface, OpAsmOpInterface]> {
  let summary = "how a program wants constants";
  let description = [{
    A function of `tenon` ops on tensors of static sizes, evaluated at compile time.

    ```mlir
    tenon_tile.form @panels(%w: tensor<768x768xf32>) -> tensor<24x768x32xf32> {
      %0 = reshape %w sizes [768, 24, 32] : tensor<768x768xf32> -> tensor<768x24x32xf32>
      %1 = transpose %0 [1, 0, 2] : tensor<768x24x32xf32> -> tensor<24x768x32xf32>
      tenon_tile.yield %1 : tensor<24x768x32xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = defaultsToGraph # [{
    llvm::ArrayRef<mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    llvm::ArrayRef<mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    mlir::Region *getCallableRegion() { return &getBody(); }
  }];
}

def Tile_BindOp : Tile_Op<"bind", [AttrSizedOperandSegments, HasParent<"ProgramOp">, MemoryEffects<[MemWrite]>]> {
  let summary = "the sizes and strides of an argument";
  let description = [{
    Sizes are expressions of symbols, products of symbols among them; strides, where the layout has dynamic ones, also of
    arguments.

    ```mlir
    bind %x sizes [%m, 768] strides [%sx, 1] : memref<?x768xf32, strided<[?, 1]>>
    ```
  }];
  let arguments = (ins AnyMemRef:$memref, AffineMapAttr:$sizes, Variadic<Index>:$size_indices,
                       OptionalAttr<AffineMapAttr>:$strides, Variadic<Index>:$stride_indices);
  let assemblyFormat = [{
    $memref `sizes` custom<Place>($sizes, $size_indices)
    (`strides` custom<Place>($strides, $stride_indices)^)? attr-dict `:` type($memref)
  }];
  let hasVerifier = 1;
}

def Tile_ProcessorsOp : Tile_Op<"processors", [
    Pure, HasParent<"ProgramOp">, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "how many groups run at once";
  let description = "May bound a grid where results don't depend on it.\n\n```mlir\n%p = processors\n```";
  let results = (outs Index:$result);
  let assemblyFormat = "attr-dict";
}

def Tile_ScratchOp : Tile_Op<"scratch", [
    HasParent<"ProgramOp">, MemoryEffects<[MemAlloc]>, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "memory of the program's own";
  let description = [{
    Of a group or of the launch, as its type says; read only where it was written. An expression of symbols for each dynamic
    size.

    ```mlir
    %s = scratch : memref<14x32xf32, #tenon_tile.memory<workgroup>>
    %sums = scratch(%m) : memref<?xi32, #tenon_tile.memory<launch>>
    ```
  }];
  let arguments = (ins OptionalAttr<AffineMapAttr>:$sizes, Variadic<Index>:$indices);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = "(`(` custom<Expressions>($sizes, $indices)^ `)`)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_ViewOp : Tile_Op<"view", [Pure]> {
  let summary = "the same memory under other dimensions";
  let description = [{
    Element d is element `map(d)` of the source; the expressions are linear, and a dimension of the source may run on into
    the one before it, but never out of the memory. With narrower elements the source's last dimension, which must be
    contiguous, counts these.

    ```mlir
    %h = view %x (n, h, w, k, c) -> (n, h + k, w, c) sizes [%b, 56, 56, 3, 192]
         : memref<?x58x58x64xf32> -> memref<?x56x56x3x192xf32, strided<[215296, 3712, 64, 3712, 1]>>
    ```
  }];
  let arguments = (ins AnyMemRef:$source, AffineMapAttr:$map, AffineMapAttr:$sizes, Variadic<Index>:$indices);
  let results = (outs AnyMemRef:$result);
  let assemblyFormat = [{
    $source custom<Map>($map) `sizes` custom<Place>($sizes, $indices) attr-dict
    `:` type($source) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Units and loops
//===----------------------------------------------------------------------===//

defvar namesArguments = [{
    void getAsmBlockArgumentNames(mlir::Region &region, mlir::OpAsmSetValueNameFn setName);
}];
defvar loopDeclaration = [{
    unsigned getNumDims() { return getSteps().size(); }
    /// Block arguments that are coordinates and extents.
    unsigned getNumPlaces() { return getNumDims() + llvm::count(getExtents(), true); }
  }];

// Block arguments are a coordinate for each dimension, and behind it, where `extents` says so, how many are left of a step.
class Tile_LoopOp<string mnemonic, list<Trait> traits> : Tile_RegionOp<mnemonic, traits> {
  let hasCustomAssemblyFormat = 1;
}

def Tile_GridOp : Tile_LoopOp<"grid", [AttrSizedOperandSegments, HasParent<"ProgramOp">]> {
  let summary = "units of work that run at once";
  let description = [{
    A unit for each tuple of coordinates, from `lo` below `hi` by steps, numbered row by row; `%mi` is `min(step, hi - i)`.
    Bounds are expressions of symbols. No unit reads what another stores; where two store one place the bits are equal.

    ```mlir
    grid (%i, %mi) = 0 to %m step 98, (%p) = 0 to 24 { ... }
    ```
  }];
  let arguments = (ins AffineMapAttr:$lower, Variadic<Index>:$lower_indices, AffineMapAttr:$upper,
                       Variadic<Index>:$upper_indices, DenseI64ArrayAttr:$steps, DenseBoolArrayAttr:$extents);
  let regions = (region SizedRegion<1>:$body);
  let extraClassDeclaration = !strconcat(defaultsToTiles, namesArguments, loopDeclaration);
}

def Tile_ForOp : Tile_LoopOp<"for", [AttrSizedOperandSegments, RecursiveMemoryEffects]> {
  let summary = "a loop over tiles";
  let description = [{
    As `grid`, but one after the other. A loop over one dimension may carry tiles.

    ```mlir
    %acc = for (%k) = 0 to 768 step 4 iter_args(%c = %zero) -> (tensor<14x32xf32>) { ... }
    ```
  }];
  let arguments = (ins AffineMapAttr:$lower, Variadic<Index>:$lower_indices, AffineMapAttr:$upper,
                       Variadic<Index>:$upper_indices, DenseI64ArrayAttr:$steps, DenseBoolArrayAttr:$extents,
                       Variadic<AnyRankedTensor>:$init);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let extraClassDeclaration = !strconcat(defaultsToTiles, namesArguments, loopDeclaration);
}

def Tile_PeelOp : Tile_RegionOp<"peel", [RecursiveMemoryEffects]> {
  let summary = "a region twice in code: for a whole step, and for what is left";
  let description = [{
    `%e` is the constant s where the extent is at least s, else the extent.

    ```mlir
    peel (%e = %mj) of 64 { ... }
    ```
  }];
  let arguments = (ins Index:$extent, I64Attr:$step);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = !strconcat(defaultsToTiles, namesArguments);
}

def Tile_StageOp : Tile_RegionOp<"stage", []> {
  let summary = "a part of a unit";
  let description = [{
    On a GPU what a stage wrote to memory that threads share is read, and what it read is written, only after its end.

    ```mlir
    stage "input" { ... }
    ```
  }];
  let arguments = (ins StrAttr:$name);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name (`->` `(` type($results)^ `)`)? attr-dict-with-keyword $body";
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

defvar tileDims = [{
    /// The dimension of the memory that each dimension of the tile runs along.
    llvm::SmallVector<int64_t> getTileDims();
    /// The places from one element of the tile to the next, for each of its dimensions.
    llvm::SmallVector<int64_t> getTileSteps();
}];

def Tile_LoadOp : Tile_Op<"load", [AttrSizedOperandSegments]> {
  let summary = "a tile of memory";
  let description = [{
    The tile's dimensions are the memory's last ones, or `dims`, each `steps` apart. A coordinate may be a tile of integers:
    all such coordinates run together along one dimension of the tile, that of the first. Within extents elements are in the
    memory; those beyond are some value. With `fill` they are the value beyond extents and outside of the memory, and an
    extent may be 0. `stream` says that the memory isn't read again soon.

    ```mlir
    %a = load %x[%i, %k] extents [%mi, 4] : memref<?x768xf32> -> tensor<14x4xf32>
    %b = load %w[%n, gather %h, gather %w, 0] dims [1, 3] fill (0.0)
         : memref<?x56x56x64xf32>, tensor<13xi32> -> tensor<13x4xf32>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$memref, AffineMapAttr:$coordinates, Variadic<Index>:$indices,
                       OptionalAttr<DenseI64ArrayAttr>:$gathered, Variadic<AnyRankedTensor>:$places,
                       OptionalAttr<AffineMapAttr>:$extents, Variadic<Index>:$extent_indices,
                       OptionalAttr<DenseI64ArrayAttr>:$dims, OptionalAttr<DenseI64ArrayAttr>:$steps,
                       OptionalAttr<TypedAttrInterface>:$fill, UnitAttr:$stream);
  let results = (outs AnyRankedTensor:$tile);
  let assemblyFormat = [{
    $memref `` custom<Coordinates>($coordinates, $indices, $gathered, $places)
    (`extents` custom<Place>($extents, $extent_indices)^)? (`dims` $dims^)? (`steps` $steps^)?
    (`stream` $stream^)? attr-dict custom<FillAndTypes>($fill, type($memref), type($places), type($tile), ref($places))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = tileDims;
}

def Tile_StoreOp : Tile_Op<"store", [AttrSizedOperandSegments]> {
  let summary = "writes a tile, within extents";
  let description = [{
    Places are those of `load`.

    ```mlir
    store %t, %y[%i, %j] extents [%mi, 32] : tensor<14x32xf32>, memref<?x768xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$tile, Arg<AnyMemRef, "", [MemWrite]>:$memref, AffineMapAttr:$coordinates,
                       Variadic<Index>:$indices, OptionalAttr<DenseI64ArrayAttr>:$gathered,
                       Variadic<AnyRankedTensor>:$places, OptionalAttr<AffineMapAttr>:$extents,
                       Variadic<Index>:$extent_indices, OptionalAttr<DenseI64ArrayAttr>:$dims,
                       OptionalAttr<DenseI64ArrayAttr>:$steps, UnitAttr:$stream);
  let assemblyFormat = [{
    $tile `,` $memref `` custom<Coordinates>($coordinates, $indices, $gathered, $places)
    (`extents` custom<Place>($extents, $extent_indices)^)? (`dims` $dims^)? (`steps` $steps^)?
    (`stream` $stream^)? attr-dict `:` type($tile) `,` custom<MemoryTypes>(type($memref), type($places), ref($places))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = tileDims;
}

def Tile_PrefetchOp : Tile_Op<"prefetch", [MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "brings memory into a cache";
  let description = [{
    `lines` cache lines from a place on, which may lie anywhere, into the first or second level; `write` where they will be
    written.

    ```mlir
    prefetch %w[%p + 1, %k, 0] level 2 lines 2 : memref<24x768x32xf32>
    ```
  }];
  let arguments = (ins AnyMemRef:$memref, AffineMapAttr:$coordinates, Variadic<Index>:$indices, I64Attr:$level,
                       DefaultValuedAttr<I64Attr, "1">:$lines, UnitAttr:$write);
  let assemblyFormat = [{
    $memref `` custom<Place>($coordinates, $indices) `level` $level (`lines` $lines^)? (`write` $write^)?
    attr-dict `:` type($memref)
  }];
  let hasVerifier = 1;
}

def Tile_TopKRowOp : Tile_Op<"topk", [AttrSizedOperandSegments]> {
  let summary = "the first elements of a row in order, from memory to memory";
  let description = [{
    As `tenon.topk` of the row of `source` along `dim` at a place, whose coordinate along `dim` is 0: what the elements are
    and where they stood, or one of these, as many as there is room for along `dim`. `lanes` elements are compared at once with the last one of
    the best so far. Up to 16 of them are kept in order; more want `scratch`, bytes where candidates are collected until it
    is full, and then sorted. There is room for all of a row or of what is wanted of it, but the more there is, the less
    often they are sorted. More results than elements are an error at run time.

    ```mlir
    topk %x at [%i, 0] dim 1 lanes 8 values %v positions %p scratch %s
         : memref<?x84000xf32> values memref<?x300xf32> positions memref<?x300xi64>
           scratch memref<20224xi8, #tenon_tile.memory<workgroup>>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, AffineMapAttr:$coordinates, Variadic<Index>:$indices,
                       I64Attr:$dim, I64Attr:$lanes, UnitAttr:$smallest,
                       Arg<Optional<AnyMemRef>, "", [MemWrite]>:$values,
                       Arg<Optional<AnyMemRef>, "", [MemWrite]>:$positions,
                       Arg<Optional<AnyMemRef>, "", [MemRead, MemWrite]>:$scratch);
  let assemblyFormat = [{
    $source `at` custom<Place>($coordinates, $indices) `dim` $dim `lanes` $lanes (`smallest` $smallest^)?
    (`values` $values^)? (`positions` $positions^)? (`scratch` $scratch^)? attr-dict
    `:` type($source) (`values` type($values)^)? (`positions` type($positions)^)? (`scratch` type($scratch)^)?
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Results that need no scratch.
    static constexpr int64_t mostKept = 16;
    /// Elements that are collected before it is asked whether scratch is full, and the most of `lanes`.
    static constexpr int64_t chunk = 64;
    /// A candidate is a key, an integer of at least a register's bits, and a position.
    static constexpr int64_t positionBytes = 4;
    static int64_t getKeyBytes(mlir::Type element) { return std::max(4u, element.getIntOrFloatBitWidth() / 8); }
    /// In scratch there are two places for each, and for those of a chunk.
    static int64_t getCandidateBytes(mlir::Type element) { return 2 * (getKeyBytes(element) + positionBytes); }
  }];
}

def Tile_CopyOp : Tile_Op<"copy", [AttrSizedOperandSegments]> {
  let summary = "moves a tile between scratch of the group and other memory";
  let description = [{
    Tiles lie along the last dimensions of both, `steps` apart in memory that isn't scratch. Beyond extents and outside of
    the memory zeros are written to scratch, and nothing to memory. In a `put` a copy is done when the number is
    taken, elsewhere at the end of its stage. `via tma` knows no extents.

    ```mlir
    copy %x[%i, %k] to %xs[%s, 0, 0] tile [128, 32] extents [%mi, 32]
         : memref<?x4096xf16>, memref<4x128x32xf16, #tenon_tile.memory<workgroup>>
    ```
  }];
  let arguments = (ins Arg<AnyMemRef, "", [MemRead]>:$source, AffineMapAttr:$source_coordinates,
                       Variadic<Index>:$source_indices, Arg<AnyMemRef, "", [MemWrite]>:$target,
                       AffineMapAttr:$target_coordinates, Variadic<Index>:$target_indices, DenseI64ArrayAttr:$tile,
                       OptionalAttr<AffineMapAttr>:$extents, Variadic<Index>:$extent_indices,
                       OptionalAttr<DenseI64ArrayAttr>:$steps, UnitAttr:$tma);
  let assemblyFormat = [{
    $source `` custom<Place>($source_coordinates, $source_indices) `to`
    $target `` custom<Place>($target_coordinates, $target_indices) `tile` $tile
    (`extents` custom<Place>($extents, $extent_indices)^)? (`steps` $steps^)? (`via` `tma` $tma^)?
    attr-dict `:` type($source) `,` type($target)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

def Tile_PositionOp : Tile_Op<"position", [Pure]> {
  let summary = "an index as a tile";
  let description = [{
    Each element is the index plus its place along `dim`; without `dim` just the index.

    ```mlir
    %k = position %t dim 2 : tensor<3x4x32xi32>
    ```
  }];
  let arguments = (ins AffineMapAttr:$index, Variadic<Index>:$indices, OptionalAttr<I64Attr>:$dim);
  let results = (outs RankedTensorOf<[I32, I64]>:$result);
  let assemblyFormat = "custom<Expressions>($index, $indices) (`dim` $dim^)? attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def Tile_FillOp : Tile_Op<"fill", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "a tile whose elements beyond extents are a value";
  let description = [{
    For reductions along dimensions that may be partial.

    ```mlir
    %w = fill %v extents [%e] with (0.0) : tensor<64xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$tile, AffineMapAttr:$extents, Variadic<Index>:$extent_indices,
                       TypedAttrInterface:$value);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $tile `extents` custom<Place>($extents, $extent_indices) attr-dict `with`
    custom<ValueAndType>($value, type($result))
  }];
  let hasVerifier = 1;
}

def Tile_MmaOp : Tile_Op<"mma", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "a register tile: a matrix product that is added";
  let description = [{
    `lhs` is `[R.., K]`, `rhs` `[K, N..]` or, f products of a column in a run, `[K / f, N.., f]`, `acc` and the result
    `[R.., N..]`: `acc + sum over k of lhs * rhs`, in the type of `acc`. R are rows, N columns, the last of them lanes.
    Without `via` products are fused and added in order of k; with it as the instruction does.

    ```mlir
    %d = mma %a, %b, %c : tensor<14x4xf32>, tensor<4x32xf32> -> tensor<14x32xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$lhs, AnyRankedTensor:$rhs, AnyRankedTensor:$acc,
                       OptionalAttr<Tile_InstructionAttr>:$via);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $lhs `,` $rhs `,` $acc (`via` $via^)? attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Products of a column in a run of `rhs`: its last dimension, or 1 where it has none of them.
    int64_t getFactor();
  }];
}

def Tile_ComputeOp : Tile_Op<"compute", [AttrSizedOperandSegments, OpAsmOpInterface,
                                         SingleBlockImplicitTerminator<"YieldOp">, MemoryEffects<[MemRead]>]> {
  let summary = "a tile of what the graph computes";
  let description = [{
    The region is `tenon` ops on whole tensors, of which the tile at one place is asked. An argument stands for a memory,
    which may be read anywhere, or for a tensor that is known at one tile only, the op's place and `dims` where it names no
    place of its own. Between such a tile and a result stand only ops that ask for it at the same place. What stands outside
    of the region is known as a whole: indices, and tiles such as constants. The last dimension of contiguous memory may run
    on into those before it, where no op asks for a place along one of them.

    ```mlir
    %o = compute at [%i, %j] (%v = %acc : tensor<14x32xf32> of tensor<?x768xf32>, %b = %bias : memref<768xf32>)
         -> tensor<14x32xf32> {
      %0 = broadcast %b dims [1] sizes [%m, 768] : tensor<768xf32> -> tensor<?x768xf32>
      %1 = add %v, %0 : tensor<?x768xf32>
      tenon_tile.yield %1 : tensor<?x768xf32>
    }
    ```
  }];
  let arguments = (ins AffineMapAttr:$coordinates, Variadic<Index>:$indices, OptionalAttr<DenseI64ArrayAttr>:$dims,
                       OptionalAttr<AffineMapAttr>:$extents, Variadic<Index>:$extent_indices,
                       Variadic<AnyTypeOf<[AnyMemRef, AnyRankedTensor]>>:$inputs,
                       ArrayAttr:$places, Variadic<Index>:$place_indices);
  let results = (outs Variadic<AnyRankedTensor>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = defaultsToGraph # [{
    /// The dimension of the whole tensor that each dimension of a result runs along.
    llvm::SmallVector<int64_t> getTileDims();
    /// Where the tile of input `i` lies, and along which dimensions; of an input that is no memory.
    struct Place {
      mlir::AffineMap coordinates;
      mlir::ValueRange operands;
      llvm::SmallVector<int64_t> dims;
    };
    Place getPlace(unsigned i);
  }];
}

//===----------------------------------------------------------------------===//
// Pipelines and roles
//===----------------------------------------------------------------------===//

def Tile_RingOp : Tile_Op<"ring", [
    HasParent<"ProgramOp">, MemoryEffects<[MemAlloc]>, DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "numbers copies, so that slots of scratch are filled while others are read";
  let description = "```mlir\n%ring = ring slots 4\n```";
  let arguments = (ins I64Attr:$slots);
  let results = (outs Tile_RingType:$result);
  let assemblyFormat = "`slots` $slots attr-dict";
  let hasVerifier = 1;
}

def Tile_PutOp : Tile_Op<"put", [AttrSizedOperandSegments, OpAsmOpInterface, SingleBlockImplicitTerminator<"YieldOp">]> {
  let summary = "begins the copies of one number";
  let description = [{
    Number n fills slot n mod slots; within `roles` it waits until that is free. Where `when` is false nothing is copied, but
    the number counts, and is never taken. Outside of `roles` a `take` stands between the release of n - slots and this.

    ```mlir
    put %ring[%q + 3] slot %s when %more { copy ... }
    ```
  }];
  let arguments = (ins Tile_RingType:$ring, AffineMapAttr:$number, Variadic<Index>:$indices, Optional<I1>:$condition);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $ring `[` custom<Expressions>($number, $indices) `]` `slot` custom<SlotRegion>($condition, $body) attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = !strconcat(defaultsToTiles, namesArguments);
}

def Tile_TakeOp : Tile_Op<"take", [DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmResultNames"]>]> {
  let summary = "waits for the copies of one number and gives its slot";
  let description = [{
    Outside of `roles` also a barrier of the group; there at most slots - 1 numbers are on their way.

    ```mlir
    %s = take %ring[%q]
    ```
  }];
  let arguments = (ins Tile_RingType:$ring, AffineMapAttr:$number, Variadic<Index>:$indices);
  let results = (outs Index:$slot);
  let assemblyFormat = "$ring `[` custom<Expressions>($number, $indices) `]` attr-dict";
  let hasVerifier = 1;
}

def Tile_ReleaseOp : Tile_Op<"release", []> {
  let summary = "lets slots be filled again";
  let description = [{
    Whatever reads numbers up to n - lag has finished.

    ```mlir
    release %ring[%q] lag 1
    ```
  }];
  let arguments = (ins Tile_RingType:$ring, AffineMapAttr:$number, Variadic<Index>:$indices,
                       DefaultValuedAttr<I64Attr, "0">:$lag);
  let assemblyFormat = "$ring `[` custom<Expressions>($number, $indices) `]` (`lag` $lag^)? attr-dict";
  let hasVerifier = 1;
}

def Tile_RolesOp : Tile_Op<"roles", [OpAsmOpInterface, SingleBlock, NoTerminator]> {
  let summary = "parts of a group that run at once";
  let description = [{
    Joined by rings and scratch of the group; ends when all have ended. Warps sum up to the program's.

    ```mlir
    roles {
      role "producer" warps 4 registers 40 { ... }
      role "consumer" warps 8 registers 232 { ... }
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "attr-dict-with-keyword $body";
  let hasRegionVerifier = 1;
  let extraClassDeclaration = defaultsToTiles;
}

def Tile_RoleOp : Tile_RegionOp<"role", [HasParent<"RolesOp">]> {
  let summary = "what some of a group's warps do";
  let arguments = (ins StrAttr:$name, I64Attr:$warps, OptionalAttr<I64Attr>:$registers);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$name `warps` $warps (`registers` $registers^)? attr-dict-with-keyword $body";
}

#endif // TENON_DIALECT_TILE_IR_TILEPROGRAMS
