//===- TileOps.td - Kernels ---===//
//
// Part of Tenon, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TENON_DIALECT_TILE_IR_TILEOPS
#define TENON_DIALECT_TILE_IR_TILEOPS

include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "tenon/Dialect/Tenon/IR/TenonInterfaces.td"
include "tenon/Dialect/Tile/IR/TileTargets.td"

def Tile_KernelOp : Tile_Op<"kernel", [IsolatedFromAbove, FunctionOpInterface]> {
  let summary = "what one launch computes, on any target";
  let description = [{
    A function of `index` symbols, then tensors. Each dynamic size is stated by `tenon.bind_shape` on symbols; the
    body is `tenon` ops. Tensors lie in contiguous rows, but for those under `{tenon_tile.contract = "inner"}`: only their last
    dimension is contiguous, all other strides come with the launch. Under `{tenon_tile.constant}` each launch gives a
    constant. An attribute `tenon_tile.schedule` fixes knobs of the kernel's variants. Into how many units a launch is cut
    is no part of it: each variant's plan says that.

    ```mlir
    tenon_tile.kernel @exp(%m: index, %x: tensor<?x4xf32>) -> tensor<?x4xf32> {
      tenon.bind_shape %x [%m, 4] : tensor<?x4xf32>
      %y = tenon.exp %x : tensor<?x4xf32>
      tenon_tile.yield %y : tensor<?x4xf32>
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, TypeAttrOf<FunctionType>:$function_type,
                       OptionalAttr<StrAttr>:$sym_visibility, OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    llvm::ArrayRef<mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    llvm::ArrayRef<mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    mlir::Region *getCallableRegion() { return &getBody(); }
    /// The leading arguments of type `index`.
    unsigned getNumSymbols() {
      return llvm::count_if(getArgumentTypes(), [](mlir::Type type) { return type.isIndex(); });
    }
    /// Whether strides of a tensor come with the launch: of the tensor arguments, then of the results.
    bool takesStrides(unsigned tensor);
  }];
}

def Tile_YieldOp : Tile_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "ends a kernel, a form or a region of a program and gives its results";
  let arguments = (ins Variadic<AnyRankedTensor>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
  let hasVerifier = 1;
}

def Tile_VariantsOp : Tile_Op<"variants", [IsolatedFromAbove, Symbol, SymbolTable, SingleBlock, NoTerminator,
                                           NoRegionArguments]> {
  let summary = "a kernel, once for each target";
  let description = [{
    Launches name it; the runtime takes the variant of the target that it chose when it loaded the model.

    ```mlir
    tenon_tile.variants @exp {
      tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
        tenon_tile.kernel @exp(%x: tensor<4xf32>) -> tensor<4xf32> {
          %y = tenon.exp %x : tensor<4xf32>
          tenon_tile.yield %y : tensor<4xf32>
        }
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
}

def Tile_VariantOp : Tile_Op<"variant", [IsolatedFromAbove, Symbol, SymbolTable, SingleBlock, NoTerminator,
                                         NoRegionArguments, HasParent<"VariantsOp">]> {
  let summary = "a kernel for one target";
  let description = [{
    Holds at level 2 one `tenon_tile.kernel` of the kernel's name; between the levels programs; at level 3 a `func.func`
    of loops for each grid of each program, in their order. The first one has the kernel's name, the second that name
    and `.1`, and so on. Where a program begins its function has the program's `tenon_tile.plan`. Forms of constants may
    stand behind; `tenon-merge-forms` moves them into the module. Without `schedule` none is chosen yet. Code generation
    works on one variant at a time.

    ```mlir
    tenon_tile.variant @avx2 target #avx2 schedule(vector_bytes = 32, vectors = 1) {
      func.func @exp(%x: memref<f32>, %y: memref<f32>, %begin: index, %end: index) -> i32
          attributes {tenon_tile.plan = #tenon_tile.plan<grids = [affine_map<() -> (1)>]>} { ... }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Tile_TargetAttrInterface:$target, OptionalAttr<Tile_ScheduleAttr>:$schedule);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `target` $target (`schedule` `` custom<Schedule>($schedule)^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The function that it holds, or the first of them.
    mlir::SymbolOpInterface getFunction() {
      return llvm::cast<mlir::SymbolOpInterface>(getBody().front().front());
    }
    /// The name of the function that does grid `number` of kernel `kernel`, counted over all programs.
    static std::string nameOfGrid(llvm::StringRef kernel, unsigned number) {
      return number == 0 ? kernel.str() : (kernel + "." + llvm::Twine(number)).str();
    }
  }];
}

def Tile_WindowRowsOp : Tile_Op<"window_rows", [Pure, DeclareOpInterfaceMethods<Tenon_SizesInterface>]> {
  let summary = "the windows of an image as rows of a matrix";
  let description = [{
    Operand `[N, D1..Dn, C]`, result `[N, O1..On, K1*..*Kn*C]`: row o is the window of elements `operand[n, o*stride +
    k*dilation, c]`, in order of k, then c; K are the `sizes` of a window, `Oi = (Di - dilation*(Ki - 1) - 1) / stride +
    1`. With `pads`, n low then n high ones, Di counts them too, and elements in that border are zero: register tiles
    pass over them. Moves nothing: it says how register tiles read a kernel's operand.

    ```mlir
    %w = tenon_tile.window_rows %x sizes [3, 3] strides [1, 1] dilations [1, 1]
         : tensor<1x58x58x64xf32> -> tensor<1x56x56x576xf32>
    ```
  }];
  let arguments = (ins AnyRankedTensor:$operand, DenseI64ArrayAttr:$sizes, DenseI64ArrayAttr:$strides,
                       DenseI64ArrayAttr:$dilations, OptionalAttr<DenseI64ArrayAttr>:$pads);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = [{
    $operand `sizes` $sizes `strides` $strides `dilations` $dilations (`pads` $pads^)? attr-dict
    `:` type($operand) `->` type($result)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What lies before and behind the image along spatial dimension `i`.
    int64_t getLowPad(unsigned i) { return getPads() ? (*getPads())[i] : 0; }
    int64_t getHighPad(unsigned i) { return getPads() ? (*getPads())[getSizes().size() + i] : 0; }
  }];
}

def Tile_ReportOp : Tile_Op<"report", [MemoryEffects<[MemWrite]>]> {
  let summary = "records an error of the launch and goes on";
  let description = [{
    `code` is one of Runtime/tenon_kernel.h; `position` orders errors: the lowest is the one that the user sees.

    ```mlir
    tenon_tile.report 1 at %unit value %i limit %n
    ```
  }];
  let arguments = (ins I32Attr:$code, Index:$position, I64:$value, I64:$limit);
  let assemblyFormat = "$code `at` $position `value` $value `limit` $limit attr-dict";
}

#endif // TENON_DIALECT_TILE_IR_TILEOPS
